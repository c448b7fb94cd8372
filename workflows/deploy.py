"""The state machine ``deploy``, as the sentence that describes it.

Validate the request; build the commit if it names one; register the task definition; verify the
Raft cluster; create the deployment; wait and poll until it has succeeded, then verify the outcome
and tell people. When it fails, is stopped, takes too long or endangers the cluster: stop it, wait
and poll until the roll-back has ended, verify the cluster again and tell people why; unless it has
succeeded by then.
"""

from __future__ import annotations

from typing import Any

from workflows import sdk

TIMEOUT_SECONDS = 12 * 24 * 3600
"""Longer than the longest deadline, of 120 h, for the rollout and for the roll-back each, and a
build before them. The deadline that people set is that of the looks."""

_COMMENT = (
    "Deploys one revision of the service, blue/green, without ever costing its Raft cluster the "
    "quorum: new tasks (green) start beside those that serve (blue), get the traffic, then the "
    "votes, and only then blue ends. Whatever goes wrong before that is rolled back. "
    "Start it with {}, which deploys the current revision again, or with a request, such as "
    '{"image": "v2", "description": "why"}. What to deploy, at most one of: image (a tag or a '
    'digest); source ({"repository": "owner/name", "commit": "0a1b2c3"}, which is built first); '
    "taskDefinition (current, previous, family:revision or an ARN). How: deploymentConfig (of "
    "CodeDeploy: how the traffic moves); whenBusy (fail, or skip: end quietly while another "
    "deployment is under way); ignoreAlarms (true: no alarm stops it; to go back to a revision "
    "that served). For people: description, initiator (who asks for it). "
    "To end it, stop its deployment, by `quorumshift stop` or in CodeDeploy, with its roll-back: "
    "this execution follows it home."
)
"""What the console shows of a state machine to somebody who sees it for the first time."""

LOOKING = 120
SETTLING = 900
"""Seconds: Lambda's longest. How long a cluster may take to settle is the policy's to say."""


def deploy() -> dict[str, Any]:
    """The definition in Amazon States Language, with ``${State}`` for each function's ARN."""
    receive = sdk.begin(
        "Receive",
        "Puts the input, whatever was typed, beside the id and the name of this execution.",
        {
            "input.$": "$",
            "execution": {
                "id.$": "$$.Execution.Id",
                "name.$": "$$.Execution.Name",
                "startTime.$": "$$.Execution.StartTime",
            },
        },
    )
    validate_request = sdk.task(
        "ValidateRequest",
        "Is the input a request? What the keys mean stands at the state machine. "
        "Nothing is touched before CreateDeployment.",
        "$",
    )
    build_or_not = sdk.choice(
        "BuildOrNot", "Does the request name a commit to build, or something that exists?"
    )
    skipped = sdk.succeed(
        "Skipped", "Another deployment is under way, and the request would rather not run then."
    )
    rather_not = sdk.choice(
        "RatherNot",
        "Another deployment began after ValidateRequest had looked: the request would rather not "
        "run then, or fails.",
    )
    start_build = sdk.task("StartBuild", "Starts the build of the commit.", "$.build")
    wait_for_build = sdk.wait(
        "WaitForBuild", "A pause until the next look at the build.", "$.timing.buildPollSeconds"
    )
    poll_build = sdk.look(
        "PollBuild",
        "Is the image there? A build that fails, or takes longer than an hour, ends the execution "
        "with its phase and a link to its log.",
        "$.build",
    )
    is_it_built = sdk.choice("IsItBuilt", "The build still runs, or its image is there.")
    register_task_definition = sdk.task(
        "RegisterTaskDefinition",
        "Finds the revision to deploy. A new one copies the live one and changes the image alone.",
        "$.revision",
    )
    verify_raft = sdk.task(
        "VerifyRaft",
        "Waits until the Raft cluster is healthy, stable and tolerates what the policy asks. "
        "An election is waited for; a cluster that is not well is not deployed to.",
        "$.verification",
        seconds=SETTLING,
    )
    create_deployment = sdk.task(
        "CreateDeployment",
        "Starts the deployment, or adopts the one that an earlier try of this step started.",
        "$.deployment",
    )
    notify_started = sdk.news(
        "NotifyStarted", "Tells people what is deployed, by whom, and how to follow and stop it."
    )
    wait_for_deployment = sdk.wait(
        "WaitForDeployment",
        "A pause until the next look. CodeDeploy starts green beside blue, moves the traffic, and "
        "asks our hooks at each stage; the last one starts the state machine hand_over.",
        "$.timing.pollSeconds",
    )
    poll_deployment = sdk.look_anew(
        "PollDeployment",
        "One observation: stages, traffic, alarms, tasks, the hooks' evidence, the Raft cluster. "
        "All that is ever shown of the deployment is made from these. AWS that does not answer is "
        "part of it.",
        "$.observation",
        seconds=LOOKING,
    )
    missed_look = sdk.count_missed(
        "MissedLook",
        "The function did not run, or died: nothing was seen, and the wait counts.",
        "$.missed",
    )
    look_again = sdk.choice(
        "LookAgain",
        "It is waited for, but not for ever: the history has an end, and so has the hope.",
    )
    how_is_it_going = sdk.choice(
        "HowIsItGoing",
        "It goes on, has succeeded, or has failed. It is stopped as well when the deadline has "
        "passed, green does not start, or the cluster is in danger.",
    )
    verify_outcome = sdk.verification(
        "VerifyOutcome",
        "No member of the old tasks is left, and the cluster is healthy. Gives back the locks that "
        "kept ECS from ending tasks whose votes were needed.",
        "$.outcome",
        seconds=SETTLING,
    )
    notify_succeeded = sdk.task(
        "NotifySucceeded", "Tells people that it is deployed.", "$.notification"
    )
    deployed = sdk.succeed("Deployed", "The new revision serves, and its tasks hold the votes.")

    stop_deployment = sdk.task(
        "StopDeployment",
        "Stops the deployment if it still runs, so that the traffic goes back.",
        "$.stop",
        patience=sdk.LASTING,
    )
    did_it_succeed = sdk.choice(
        "DidItSucceed", "What has succeeded, unseen so far, is not undone: the old tasks are gone."
    )
    notify_rolling_back = sdk.news(
        "NotifyRollingBack", "Tells people that it is being rolled back, and why."
    )
    wait_for_rollback = sdk.wait(
        "WaitForRollback", "A pause until the next look at the roll-back.", "$.timing.pollSeconds"
    )
    poll_rollback = sdk.look_anew(
        "PollRollback",
        "Follows the roll-back to its own end. Votes that green holds are handed back first; "
        "until then their locks keep green alive. AWS that does not answer is waited for.",
        "$.rollback",
        seconds=LOOKING,
    )
    missed_rollback = sdk.count_missed(
        "MissedRollback",
        "As MissedLook, of the roll-back, which has its own count.",
        "$.missedOfRollback",
    )
    look_again_at_rollback = sdk.choice("LookAgainAtRollback", "As LookAgain, at the roll-back.")
    is_it_undone = sdk.choice(
        "IsItUndone", "The roll-back goes on, has ended well, or was too late."
    )
    verify_rollback = sdk.verification(
        "VerifyRollback",
        "VerifyRaft once more: the old cluster is healthy and stable. Gives the locks back.",
        "$.outcome",
        seconds=SETTLING,
    )
    notify_rolled_back = sdk.task(
        "NotifyRolledBack", "Tells people that it was rolled back, and why.", "$.notification"
    )
    rolled_back = sdk.Fail(
        "RolledBack",
        "The old revision serves, as before. The cause says what happened and what to do.",
        "$.outcome.error",
        "$.outcome.cause",
    )

    notify_failed = sdk.task(
        "NotifyFailed",
        "Leaves things safe and tells people how they stand. Before a deployment exists, nothing "
        "was touched; after, a person has to look.",
        "$.outcome",
        seconds=LOOKING,
    )
    failed = sdk.Fail(
        "Failed",
        "It could not go on. The cause says why, how things stand and what to do.",
        "$.outcome.error",
        "$.outcome.cause",
    )
    failed_unheard = sdk.Fail(
        "FailedUnheard",
        "As Failed, and nobody could be told: the cause is that of the first failure.",
        "$.failure.Error",
        "$.failure.Cause",
    )

    sdk.chain(receive, validate_request, build_or_not)
    sdk.when_present(build_or_not, "$.busyWith", skipped)
    sdk.when_present(build_or_not, "$.request.source", start_build)
    sdk.otherwise(build_or_not, register_task_definition)
    sdk.when(rather_not, "$.request.whenBusy", "skip", skipped)
    sdk.otherwise(rather_not, notify_failed)
    sdk.chain(start_build, wait_for_build, poll_build, is_it_built)
    sdk.when(is_it_built, "$.build.status", "running", wait_for_build)
    sdk.otherwise(is_it_built, register_task_definition)
    sdk.chain(
        register_task_definition,
        verify_raft,
        create_deployment,
        notify_started,
        wait_for_deployment,
        poll_deployment,
        how_is_it_going,
    )
    sdk.when(how_is_it_going, "$.observation.meaning.decision", "wait", wait_for_deployment)
    sdk.when(how_is_it_going, "$.observation.meaning.decision", "succeeded", verify_outcome)
    sdk.otherwise(how_is_it_going, stop_deployment)
    sdk.chain(missed_look, look_again)
    sdk.when_less(look_again, "$.missed.looks", "$.missed.most", wait_for_deployment)
    sdk.otherwise(look_again, stop_deployment)
    sdk.chain(verify_outcome, notify_succeeded, deployed)

    sdk.chain(stop_deployment, did_it_succeed)
    sdk.when(did_it_succeed, "$.stop.progress", "succeeded", verify_outcome)
    sdk.otherwise(did_it_succeed, notify_rolling_back)
    sdk.chain(notify_rolling_back, wait_for_rollback, poll_rollback, is_it_undone)
    sdk.when(is_it_undone, "$.rollback.decision", "done", verify_rollback)
    sdk.when(is_it_undone, "$.rollback.decision", "succeeded", verify_outcome)
    sdk.otherwise(is_it_undone, wait_for_rollback)
    sdk.chain(missed_rollback, look_again_at_rollback)
    sdk.when_less(
        look_again_at_rollback,
        "$.missedOfRollback.looks",
        "$.missedOfRollback.most",
        wait_for_rollback,
    )
    sdk.otherwise(look_again_at_rollback, notify_failed)
    sdk.chain(verify_rollback, notify_rolled_back, rolled_back)
    sdk.chain(notify_failed, failed)

    # What passes is waited for where there is a loop to wait in. Where every other failure leads
    # depends on where it stands.
    sdk.catch_passing(poll_deployment, missed_look, "$.unseen")
    sdk.catch_passing(poll_rollback, missed_rollback, "$.unseen")
    before_a_deployment_exists = [
        validate_request,
        start_build,
        poll_build,
        register_task_definition,
        verify_raft,
        create_deployment,
    ]
    sdk.catch_busy([verify_raft, create_deployment], rather_not)
    sdk.catch(before_a_deployment_exists, notify_failed)
    sdk.catch([poll_deployment], stop_deployment)
    after_it_has_ended = [verify_outcome, stop_deployment, poll_rollback, verify_rollback]
    sdk.catch(after_it_has_ended, notify_failed)
    sdk.catch_quietly(notify_started, wait_for_deployment)
    sdk.catch_quietly(notify_succeeded, deployed)
    sdk.catch_quietly(notify_rolling_back, wait_for_rollback)
    sdk.catch_quietly(notify_rolled_back, rolled_back)
    sdk.catch_quietly(notify_failed, failed_unheard)

    return sdk.definition(
        _COMMENT,
        receive,
        TIMEOUT_SECONDS,
    )
