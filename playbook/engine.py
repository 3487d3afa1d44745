"""The step loop: which steps are due, run them in the guide's order, judge, stop where the guide says stop."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .ahead import STEPS_AHEAD, ReadAhead, looking
from .catalog import Catalog
from .criteria import Criterion, met
from .errors import EXIT_OF, BadSession, DiskTrouble, Interrupted
from .execution import Interruption, Listener, Silent, StepExecution, may_have_left_tmp_curl
from .failures import Trouble, failure
from .journal import Kind, now
from .model import Cluster, Run, Session, StepResult, Verdict
from .own_commands import REMOVE_TMP_CURL
from .runner import Runner
from .session import ENV, Record
from .staleness import LOOK_AGAIN, stale
from .steps import STEPS, Runs, Step
from .steps.restart import RESTARTS, may_have_deleted
from .steps.step0_cluster import api_unreachable, cluster_of
from .text import Message, msg

SETTLED = (Verdict.PASS, Verdict.WARN)
STEP_7_2 = "step7-2-health-via-service"


@dataclass
class Engine:
    """One attempt at a verification. Everything it knows of the past it reads from the record."""

    catalog: Catalog
    runner: Runner
    record: Record
    listener: Listener = field(default_factory=Silent)
    interruption: Interruption = field(default_factory=Interruption)
    replaying: bool = False
    jobs: int = 1
    diagnosing: bool = True
    ahead: ReadAhead | None = None  # commands that were begun already
    _versions: Future[tuple[tuple[str, str], ...]] | None = None

    def run(self, *, start: str | None = None, until: str = "9", only: str | None = None) -> Session:
        """Carry out every step that is due, `start` and later ones in any case, none after `until`; or `only` that one.

        Returns the session as it stands afterwards. Raises Interrupted (after the cleanup), DiskTrouble, BadSession.
        """
        try:
            return self._attempt(start, until, only)
        except Interrupted as interrupted:
            self._clean_up()
            self.record.note(Kind.INTERRUPTED, signal=interrupted.signal)
            raise

    # the loop

    def _attempt(self, start: str | None, until: str, only: str | None) -> Session:
        if not self.replaying:
            self.record.close_begun()
        self.record.note(Kind.ATTEMPT, start=start or "", until=until, only=only or "")
        for step in STEPS:
            if only and step.id not in ("0", only):
                continue
            if step.id > until and step.id != only:
                break
            if not self._due(step) and not only:
                self._keep(step)
                continue
            result = self._carry_out(step, start)
            if self._stops(step, result):
                break
            if step.id == "0" and not self.replaying:
                self._take_back()
                if only and only > "6":
                    self._learn()
                elif not only:
                    self._look_again()
                    self._read_ahead(until)
            if step.id == "7" and not self.replaying:
                self._ask_for_versions()
        self._set_aside()
        if self.diagnosing:
            self.diagnose()
        self._note_versions()
        session = self.record.session()
        if not self.replaying:
            self.record.note(Kind.END, verdict=session.overall.value, exit_code=int(EXIT_OF[session.overall]))
        return self.record.session()

    def _take_back(self) -> None:
        """The pod that 7-2 of a program before this one may have left; only now is it known to be the same cluster."""
        left, removed = self.record.latest(STEP_7_2), self.record.latest(REMOVE_TMP_CURL.id)
        if left and not (removed and removed.started_at >= left.started_at and _is_gone(removed)):
            self._remove_tmp_curl(left)

    def _due(self, step: Step) -> bool:
        """Step 0 shows each time which cluster it is, Step 9 adds a sample each time; the others only when they have to."""
        session = self.record.session()
        if step.id in ("0", "9") or session.standing(session.result(step.id)) not in SETTLED:
            return True
        return step.id in {number for number, _ in stale(session, self.record.answers, now())}

    def _keep(self, step: Step) -> None:
        result = self.record.session().result(step.id)
        self.listener.step_kept(result, kept_because(result, now()))

    def _look_again(self) -> None:
        """Before anything is kept: is what it depends on still as it was then?"""
        if any(result.verdict in SETTLED for result in self.record.session().results[1:]):
            self._execution("0").side_by_side(LOOK_AGAIN)
            self._learn()

    def _learn(self) -> None:
        """What an earlier program had learned to mask died with it: 6-4 is run again before anything that could show it."""
        if not self.replaying and not self.record.has_learned:
            self._execution("6").run(ENV)

    def _read_ahead(self, until: str) -> None:
        """Begin what only looks of the due steps to come, unless that was done before there was an engine."""
        due = [step.id for step in STEPS if step.id in STEPS_AHEAD and step.id <= until and self._due(step)]
        names = looking(due)
        if self.jobs > 1 and not all(self.ahead is not None and self.ahead.has(name) for name in names):
            self._set_aside()
            self.ahead = ReadAhead(self.jobs, self._execution("").read, names)

    def _set_aside(self) -> None:
        """What was read ahead for steps that were not reached is recorded, and no more is begun."""
        if self.ahead is not None:
            ahead, self.ahead = self.ahead, None
            self.record.keep(replace(run, ordinal=self.record.next_ordinal(run.command)) for run in ahead.rest())

    def _ask_for_versions(self) -> None:
        """Once a session, when Step 7 is over: which tools run the commands."""
        if not self.record.session().tools:
            from concurrent.futures import ThreadPoolExecutor

            from .tools import tool_versions

            pool = ThreadPoolExecutor(1)
            self._versions = pool.submit(tool_versions, self.runner)
            pool.shutdown(wait=False)

    def _note_versions(self) -> None:
        if self._versions is not None:
            self.record.note(Kind.TOOLS, tools=[list(tool) for tool in self._versions.result()])
            self._versions = None

    def _carry_out(self, step: Step, start: str | None = None) -> StepResult:
        self.interruption.check()
        self.listener.step_begins(step)
        execution = self._execution(step.id)
        step.perform(step, execution)
        self.interruption.check()
        if step.id == "0" and not self.replaying:
            self._identify(execution.runs)
            if start:
                self.record.note(Kind.FORCE, **{"from": start})
        runs = self._evidence(step, execution.runs)
        attempt = 1 + self.record.attempts(step.id)
        result = StepResult(step.id, step.judge(runs), runs, attempt, judged_at(runs, self.replaying))
        self.record.judged(result)
        self.listener.step_ends(result)
        return result

    def _evidence(self, step: Step, runs: Runs) -> Runs:
        """What a step is judged by: this attempt's runs. Step 9 is judged by all samples since the pods were last restarted."""
        if step.id != "9" or self.replaying:
            return runs
        deletes = [restart.delete for restart in RESTARTS]
        everything = self.record.runs()  # in their order: the clock may have moved
        restarts = [place for place, run in enumerate(everything) if run.command in deletes and may_have_deleted(run)]
        since = set(everything[max(restarts, default=-1) + 1 :])
        return Runs(run for run in self.record.runs_since_forced("9", step.commands) if run in since)

    def _stops(self, step: Step, result: StepResult) -> bool:
        if step.id == "0" and api_unreachable(Runs(result.runs)):
            return True
        criteria = met(result.findings)
        if criteria:
            self.record.note(Kind.ABORT, criterion=criteria[0].number, step=_where(criteria[0], result))
        return bool(criteria)

    def _identify(self, runs: Runs) -> None:
        """A session belongs to one cluster: the first one seen. Nothing of another is judged, and nothing set aside for it."""
        seen, known = cluster_of(runs), self.record.session().cluster
        if seen is None:
            return
        if known is None:
            self.record.note(Kind.IDENTITY, server=seen.server, nodes=list(seen.nodes), namespace=seen.namespace)
        elif not same_cluster(known, seen):
            raise BadSession(
                msg("this record is of {known}; kubectl now speaks to {seen}", known=str(known), seen=str(seen)),
                msg("choose the right KUBECONFIG, or start a new record with --fresh"),
            )

    def _execution(self, step: str) -> StepExecution:
        return StepExecution(
            step,
            self.catalog,
            self.runner,
            self.record,
            self.listener,
            self.interruption,
            replaying=self.replaying,
            jobs=self.jobs,
            cluster=self.record.session().cluster,
            ahead=self.ahead,
        )

    # around it

    def diagnose(self) -> None:
        """Walk the guide's rows and trees for what failed; what they name is recorded."""
        session = self.record.session()
        asking = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.WARN)  # pods that were restarted are a warn, and ask why
        if not any(result.verdict in asking for result in session.results):
            if session.causes:
                self.record.note(Kind.CAUSES, causes=[], runs=[])
            return
        from .diagnose import diagnose
        from .fold import cause_to_json

        if not api_unreachable(Runs(session.result("0").runs)):
            self._learn()
        execution = self._execution("")
        causes = diagnose(session.results, execution.run)
        self.record.note(
            Kind.CAUSES,
            causes=[cause_to_json(cause) for cause in causes],
            runs=[[run.command, run.ordinal] for run in execution.runs],
        )

    def _clean_up(self) -> None:
        """After a signal: no child is alive, and no pod of ours is left."""
        self.runner.end_all()
        with suppress(DiskTrouble):  # a full disk must not keep the pod
            self._set_aside()
        with suppress(DiskTrouble):
            self.record.close_begun()
        latest = self.record.latest(STEP_7_2)
        cleaned = self.record.latest(REMOVE_TMP_CURL.id)
        if latest and (cleaned is None or cleaned.started_at < latest.started_at):
            self._remove_tmp_curl(latest)

    def _remove_tmp_curl(self, run: Run | None) -> None:
        if run is not None and not self.replaying and may_have_left_tmp_curl(run):
            self.record.keep([self.runner.cleanup(REMOVE_TMP_CURL, self.record.next_ordinal(REMOVE_TMP_CURL.id))])


def _is_gone(removal: Run) -> bool:
    """Whether the removal of tmp-curl says that there is none any more."""
    why = failure(removal)
    return why.trouble is Trouble.NOT_FOUND if why else removal.exit_code == 0


def same_cluster(known: Cluster, seen: Cluster) -> bool:
    """Whether two looks can be of one cluster. What one of them could not see (no right to) does not tell them apart."""
    servers = {cluster.server for cluster in (known, seen)} - {"?"}
    nodes = {frozenset(cluster.nodes) for cluster in (known, seen)} - {frozenset()}
    return len(servers) <= 1 and len(nodes) <= 1 and known.namespace == seen.namespace


def judged_at(runs: Runs, replaying: bool) -> datetime:
    """The moment of a judgement: now, or, for a recording, when its last run ended, so that a replay says the same each time."""
    ends = [run.started_at + timedelta(seconds=run.duration_s) for run in runs if run.happened]
    return max(ends, default=datetime.fromtimestamp(0, now().tzinfo)) if replaying else now()


def kept_because(result: StepResult, at: datetime) -> Message:
    """Why a step that was not run again still counts."""
    if result.judged_at is None:
        return msg("still counts")
    hours = int((at - result.judged_at).total_seconds() // 3600)
    return msg(
        "seen {at} ({hours} h ago); no change was seen in what it depends on",
        at=result.judged_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        hours=hours,
    )


def _where(criterion: Criterion, result: StepResult) -> str:
    """The guide's number of the finding that met the criterion."""
    return next(
        f.step for f in result.findings if f.verdict is Verdict.FAIL and f.code.partition("/")[0] in criterion.met_by
    )


def with_times_of(session: Session) -> Session:
    """A replayed session with the times of its runs instead of those of the replay."""
    ran = [run for result in session.results for run in result.runs if run.happened]
    if not ran:
        return session
    return replace(
        session,
        digest="",  # of a journal that nobody kept
        started_at=min(run.started_at for run in ran),
        ended_at=max(run.started_at + timedelta(seconds=run.duration_s) for run in ran),
        cluster=_cluster_of(session),
    )


def _cluster_of(session: Session) -> Cluster | None:
    return session.cluster or cluster_of(Runs(session.result("0").runs))
