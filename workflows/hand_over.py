"""The state machine ``hand_over``, as the sentence that describes it.

Observe, plan, act, and observe again: one change a turn, planned anew from what is seen,
until the votes are where they shall be. Then answer CodeDeploy: yes, when ending every blue task
now keeps the quorum; no, when it cannot be done and the votes are back with blue.
"""

from __future__ import annotations

from typing import Any

from workflows import sdk

TIMEOUT_SECONDS = 3000
"""CodeDeploy waits for 3,600 seconds; the watchdog answers when even this has passed. The plan
gives up after 2,400 by itself."""

LOOKING = 60
CHANGING = 300
"""Seconds: a change of members waits inside until the others are connected."""


def hand_over() -> dict[str, Any]:
    """The definition in Amazon States Language, with ``${State}`` for each function's ARN."""
    observe = sdk.task(
        "Observe",
        "One look at all nodes: who votes, who leads, who lags, which tasks are locked. Nothing is "
        "remembered from the turn before.",
        "$.observation",
        seconds=LOOKING,
        patience=sdk.PRESSING,
    )
    plan = sdk.task(
        "Plan",
        "The next step on the safest path to the goal. Blocked before the point of no return, or "
        "stopped by somebody, the goal becomes blue.",
        "$.plan",
        patience=sdk.PRESSING,
    )
    what_next = sdk.choice(
        "WhatNext", "A step, something to wait for, done, blocked, or not its own to do any more."
    )
    act = sdk.look_anew(
        "Act",
        "Does this one step: locks a task, admits or promotes a member, moves the leadership, "
        "removes a member or releases a lock. Doing it twice does no harm; but a step that got no "
        "answer is not done again before the next look.",
        "$.act",
        seconds=CHANGING,
    )
    settle = sdk.wait(
        "Settle",
        "A pause until the next look, while something is waited for; none after a step.",
        "$.plan.settleSeconds",
    )
    which_goal = sdk.choice("WhichGoal", "The votes are where they shall be: with green or blue?")
    answer_succeeded = sdk.task(
        "AnswerSucceeded",
        "Tells CodeDeploy that blue may end, if a fresh look shows that it may.",
        "$.answer",
        seconds=LOOKING,
        patience=sdk.PRESSING,
    )
    may_blue_end = sdk.choice(
        "MayBlueEnd", "CodeDeploy was told yes, or the fresh look showed that there is more to do."
    )
    answer_failed = sdk.task(
        "AnswerFailed",
        "Tells CodeDeploy to roll back, if it asked.",
        "$.answer",
        seconds=LOOKING,
        patience=sdk.PRESSING,
    )
    was_it_asked_for = sdk.choice(
        "WasItAskedFor", "The votes went back to blue: because that was the goal, or instead of it?"
    )
    handed_over = sdk.succeed("HandedOver", "Green holds the votes; blue may end.")
    handed_back = sdk.succeed("HandedBack", "Blue holds the votes, as was asked for.")
    overtaken = sdk.succeed(
        "Overtaken",
        "The votes are no longer this deployment's to move: it has succeeded, or another one is "
        "under way. Not a vote and not a lock was touched.",
    )
    not_handed_over = sdk.Fail(
        "NotHandedOver",
        "Green does not hold the votes. The cause says why.",
        "$.answer.error",
        "$.answer.cause",
    )
    unanswered = sdk.Fail(
        "Unanswered",
        "No answer could be given. The watchdog tries once more.",
        "$.failure.Error",
        "$.failure.Cause",
    )

    sdk.chain(observe, plan, what_next)
    sdk.when(what_next, "$.plan.decision", "step", act)
    sdk.when(what_next, "$.plan.decision", "wait", settle)
    sdk.when(what_next, "$.plan.decision", "done", which_goal)
    sdk.when(what_next, "$.plan.decision", "overtaken", overtaken)
    sdk.otherwise(what_next, answer_failed)
    sdk.chain(act, settle, observe)
    sdk.when(which_goal, "$.plan.goal", "green", answer_succeeded)
    sdk.otherwise(which_goal, answer_failed)
    sdk.chain(answer_succeeded, may_blue_end)
    sdk.when(may_blue_end, "$.answer.answered", True, handed_over)
    sdk.otherwise(may_blue_end, settle)
    sdk.chain(answer_failed, was_it_asked_for)
    sdk.when(was_it_asked_for, "$.answer.handedBack", True, handed_back)
    sdk.otherwise(was_it_asked_for, not_handed_over)
    # Nobody refused it: the next look shows whether it was done.
    sdk.catch_passing(act, settle, "$.act")
    sdk.catch([observe, plan, act, answer_succeeded], answer_failed)
    sdk.catch([answer_failed], unanswered)

    return sdk.definition(
        "Hands the votes of the Raft cluster from the old tasks to the new, one at a time, and "
        "answers CodeDeploy's question whether the old ones may end. Started by the hook "
        "AfterAllowTraffic, or with the goal blue to bring the votes back; never by hand. To end "
        "it, stop the deployment that it belongs to (`quorumshift stop`): the votes then go home. "
        "One that is stopped itself is resumed once.",
        observe,
        TIMEOUT_SECONDS,
    )
