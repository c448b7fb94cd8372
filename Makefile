# Every target sets up what it needs by itself; ARGS passes options on.
#   make rehearse ARGS="--nodes 5 --output json"
ARGS ?=
RUN := .venv/bin

.PHONY: rehearse test check unit soak mutants golden proto synth package bench clean

rehearse:
	@scripts/setup.sh rehearsal infra
	@exec $(RUN)/quorumshift rehearse $(ARGS)

# Both at once: while mypy reads, the tests begin.
test:
	@scripts/setup.sh rehearsal infra workflows dev
	@exec $(MAKE) --no-print-directory -j 2 check unit

check:
	@scripts/setup.sh rehearsal infra workflows dev
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy

unit:
	@scripts/setup.sh rehearsal infra workflows dev
	$(RUN)/pytest -n 3 --dist worksteal $(ARGS)

# Changes the product in small ways, and fails for a change that no test notices and nobody explained.
mutants:
	@scripts/setup.sh rehearsal infra workflows dev mutants
	@exec $(RUN)/python -m mutation $(ARGS)

# The crash matrix: every single fault, and 100,000 schedules of several (docs/crash-matrix.md).
soak:
	@scripts/setup.sh rehearsal infra workflows dev
	$(RUN)/python -m tests.crash $(ARGS)

# After a change of workflows/: renders the golden files that the infrastructure deploys.
golden:
	@scripts/setup.sh workflows
	$(RUN)/python -m workflows

# After a change of game_relay.proto.
proto: RELAY := quorumshift/adapters/raft/snaketron
proto:
	@scripts/setup.sh dev
	$(RUN)/python -m grpc_tools.protoc -I $(RELAY) --python_out=$(RELAY) --pyi_out=$(RELAY) game_relay.proto

synth:
	@scripts/setup.sh infra
	$(RUN)/python -m infra $(ARGS)

# What goes to Lambda, for both processors, without Docker.
package:
	@scripts/setup.sh infra
	$(RUN)/python -m infra.package $(ARGS)

bench:
	@scripts/setup.sh rehearsal infra dev
	$(RUN)/python -m benchmarks $(ARGS)

clean:
	rm -rf .venv .tools .cache build cdk.out .mypy_cache .pytest_cache .ruff_cache .hypothesis
