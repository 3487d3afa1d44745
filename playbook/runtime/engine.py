"""The step loop: which steps are due, carry them out in the guide's order, judge, stop where the guide says stop."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import partial

from ..errors import EXIT_OF, BadSession, DiskTrouble, Interrupted
from ..guide import ids
from ..guide.catalog import read_only
from ..model import PASSING, Cluster, Overall, Provenance, Runs, Session, StepResult
from ..session.as_json import provenance_from_json, provenance_to_json
from ..session.journal import Kind
from ..session.remask import masked_texts
from ..session.session import OpenSession
from ..steps import STEPS, Step
from ..steps.restart import RESTARTS, may_have_deleted
from ..steps.step9_stability import judged_from
from ..text import msg
from ..version import __version__
from . import tmp_curl
from .background import in_background
from .execution import LiveExecution, Workplace
from .judging import asks_for_diagnosis, judge, meets_criterion, note_causes
from .learning import learning
from .prefetch import Prefetcher
from .provenance import provenance
from .staleness import REFRESH_COMMANDS, kept_because, stale
from .uptime import clock_was_set


@dataclass
class Engine:
    """One attempt at a verification. Everything it knows of the past it reads from the session."""

    workplace: Workplace
    diagnosing: bool = True
    _provenance: Future[Provenance] | None = None
    _dead_end: bool = False  # nothing can be seen
    _clock_set: timedelta | None = None  # since the attempt before, by how much

    @property
    def session(self) -> OpenSession:
        """The session that the attempt belongs to."""
        return self.workplace.session

    def run(self, *, start: str | None = None, until: str = "9", only: str | None = None) -> Session:
        """Carry out every step that is due, `start` and later ones in any case, none after `until`; or `only` that one.

        Returns the session as it stands afterwards. Raises Interrupted (after the cleanup), DiskTrouble, BadSession.
        """
        try:
            return self._attempt(start, until, only)
        except Interrupted as interrupted:
            self._clean_up()
            self.session.note(Kind.INTERRUPTED, signal=interrupted.signal)
            raise

    # the loop

    def _attempt(self, start: str | None, until: str, only: str | None) -> Session:
        self.session.end_unfinished()
        up = self.workplace.uptime()
        self._clock_set = clock_was_set(self.session.events, self.session.now(), up)
        how = {"start": start or "", "until": until, "only": only or "", **(asdict(up) if up else {})}
        self.session.note(Kind.ATTEMPT, program=__version__, **how)
        self.session.learning = learning(self.workplace)
        for step in STEPS:
            if not _is_asked_for(step, until, only):
                continue
            if not only and not self._is_due(step):
                self._keep(step)
                continue
            if not step.cluster_of and (step.waits or step.id == until):
                self._ask_for_provenance()
            result = self._carry_out(step, start)
            if self._stops(step, result):
                break
            if step.cluster_of:
                self._prepare(until, only)
        else:
            if not only and until >= "9":
                self._see_again()
        self._drain_prefetch()
        self._ask_for_provenance()
        if self.diagnosing:
            if not self._dead_end and asks_for_diagnosis(self.session.state):
                self._load_secrets()
            note_causes(self.session, self._execution(""))
        self._note_provenance()
        session = self.session.state
        self.session.note(Kind.END, verdict=session.overall.value, exit_code=int(EXIT_OF[session.overall]))
        return self.session.state

    def _prepare(self, until: str, only: str | None) -> None:
        """Once it is known to be the same cluster: take back what was left, see what changed, begin what is sure to come."""
        tmp_curl.remove_left(self.session, self.workplace.runner)
        if not self.session.knows_secrets:
            self._load_secrets()
        if only:
            if only > "6":
                self._load_secrets()
            return
        if any(result.verdict in PASSING for result in self.session.state.results[1:]):
            self._execution("0").side_by_side(REFRESH_COMMANDS)
            self._load_secrets()
        self._prefetch(until)

    def _see_again(self) -> None:
        """The 24 hours ended during this attempt: what it had kept until then is seen once more."""
        for number in self.session.state.outdated if self.session.state.overall is Overall.INCOMPLETE else ():
            step = STEPS[int(number)]
            if self._stops(step, self._carry_out(step, None)):
                return

    def _is_due(self, step: Step) -> bool:
        session = self.session.state
        if step.always or session.standing(session.result(step.id)) not in PASSING:
            return True
        return step.id in {number for number, _ in stale(session, self.session.answers, self.session.now())}

    def _keep(self, step: Step) -> None:
        result = self.session.state.result(step.id)
        self.workplace.listener.step_kept(result, kept_because(result, self.session.now()))

    def _load_secrets(self) -> None:
        """What an earlier program had learned to mask died with it: 6-4 is run again before anything that could show it."""
        if not self.session.has_learned:
            self._execution("6").run(ids.ENV)

    def _prefetch(self, until: str) -> None:
        """Begin the read-only commands of the due steps to come, unless that was done before there was an engine."""
        names = read_only([step.id for step in STEPS if step.prefetchable and step.id <= until and self._is_due(step)])
        begun = self.workplace.prefetched
        if self.workplace.jobs > 1 and not all(begun is not None and begun.has(name) for name in names):
            self._drain_prefetch()
            self.workplace.prefetched = Prefetcher(self.workplace.jobs, self._execution("").prefetch, names)

    def _drain_prefetch(self) -> None:
        """What was prefetched for steps that were not reached is recorded, and no more is begun."""
        if self.workplace.prefetched is not None:
            prefetched, self.workplace.prefetched = self.workplace.prefetched, None
            self.session.keep(prefetched.drain())

    def _carry_out(self, step: Step, start: str | None) -> StepResult:
        self.workplace.cancel.check()
        self.workplace.listener.step_begins(step)
        execution = self._execution(step.id)
        step.carry_out(execution)
        self.workplace.cancel.check()
        if step.cluster_of:
            self._identify(step.cluster_of(execution.runs))
            self.session.mask_again()
            if start:
                self.session.note(Kind.FORCE, **{"from": start})
            self._heed_the_clock()
        runs = self._with_looks(step, execution) if step.by_all_samples else execution.runs
        due_from = judged_from(runs) if step.by_all_samples else None
        result = judge(step, runs, self.session, self.session.now(), due_from)
        self.workplace.listener.step_ends(result)
        return result

    def _with_looks(self, step: Step, execution: LiveExecution) -> Runs:
        """All samples of `step`, and what each that differed asked for: of earlier attempts, and now of the newest."""
        samples = self._since_restart(step)
        judged = self.session.state.result(step.id).runs
        since = min((run.started_at for run in samples), default=self.session.now())
        looked = [run for run in judged if run.command not in step.commands and run.started_at >= since]
        for command, target in step.looks(Runs(judged), samples) if step.looks else ():
            looked.append(execution.run(command, target))
        return Runs(map(self.session.as_seen, self.session.in_order((*samples, *looked))))

    def _since_restart(self, step: Step) -> Runs:
        """The runs of `step` since `--from` set it aside and since the pods were last restarted."""
        deletes = [restart.delete for restart in RESTARTS]
        everything = self.session.runs()  # in their order: the clock may have moved
        restarts = [place for place, run in enumerate(everything) if run.command in deletes and may_have_deleted(run)]
        since = set(everything[max(restarts, default=-1) + 1 :])
        counting = (run for run in self.session.runs_since_forced(step.id, step.commands) if run in since)
        return Runs(map(self.session.as_seen, counting))

    def _stops(self, step: Step, result: StepResult) -> bool:
        self._dead_end = bool(step.is_dead_end and step.is_dead_end(Runs(map(self.session.as_seen, result.runs))))
        return self._dead_end or meets_criterion(result, self.session)

    def _identify(self, seen: Cluster | None) -> None:
        """A session belongs to one cluster: the first one seen. Nothing of another is judged, and nothing set aside for it."""
        known = self.session.state.cluster
        if seen is None:
            return
        mask = partial(self.session.redactor.mask_text, free=False)
        known, seen = known and masked_cluster(known, mask), masked_cluster(seen, mask)
        if known is None:
            self.session.note(Kind.IDENTITY, server=seen.server, nodes=list(seen.nodes), namespace=seen.namespace)
        elif not same_cluster(known, seen):
            raise BadSession(
                msg("this session is of {known}; kubectl now speaks to {seen}", known=str(known), seen=str(seen)),
                msg("choose the right KUBECONFIG, or start a new session with --fresh"),
            )

    def _heed_the_clock(self) -> None:
        """24 hours by a clock that was set meanwhile are none: the samples of Step 9 are set aside."""
        if self._clock_set and self.session.answers(ids.POD_SAMPLE):
            self.session.note(Kind.FORCE, **{"from": "9"})
            minutes = round(self._clock_set / timedelta(minutes=1))
            self.workplace.listener.notice(
                msg(
                    "this machine's clock was set by {n} minutes since the last attempt: Step 9 begins anew",
                    n=f"{minutes:+d}",
                )
            )

    def _execution(self, step: str) -> LiveExecution:
        return LiveExecution(step, self.workplace)

    # around it

    def _ask_for_provenance(self) -> None:
        """By what the commands are run; asked beside a step that waits or the last one, else beside the diagnosis."""
        if self._provenance is None:
            place = self.workplace
            answers = any(run.exit_code == 0 for run in self.session.state.result("0").runs)  # else it costs 10 s more
            ask = partial(provenance, ask_server=answers, environ=place.environ, kubectl=place.kubectl)
            self._provenance = in_background(partial(ask, place.runner, place.catalog.digest))

    def _note_provenance(self) -> None:
        if self._provenance is not None:
            told = masked_texts(provenance_to_json(self._provenance.result()), self.session.mask_own)
            if provenance_from_json(told) != self.session.state.provenance:
                self.session.note(Kind.PROVENANCE, **told)

    def _clean_up(self) -> None:
        """After a signal: no child is alive, and no pod of ours is left."""
        self.workplace.runner.end_all()
        with suppress(DiskTrouble):  # a full disk must not keep the pod
            self._drain_prefetch()
        with suppress(DiskTrouble):
            self.session.end_unfinished()
        tmp_curl.remove_left(self.session, self.workplace.runner)


def _is_asked_for(step: Step, until: str, only: str | None) -> bool:
    """Whether an attempt comes to this step; the one that shows which cluster it is belongs to every attempt."""
    if only:
        return step.id == only or step.cluster_of is not None
    return step.id <= until


def masked_cluster(cluster: Cluster, mask: Callable[[str], str]) -> Cluster:
    """`cluster` as it may be kept; two of them are compared by the same mask."""
    return replace(cluster, server=mask(cluster.server), nodes=tuple(map(mask, cluster.nodes)))


def same_cluster(known: Cluster, seen: Cluster) -> bool:
    """Whether two looks can be of one cluster. What one of them could not see (no right to) does not tell them apart."""
    servers = {cluster.server for cluster in (known, seen)} - {"?"}
    nodes = {frozenset(cluster.nodes) for cluster in (known, seen)} - {frozenset()}
    return len(servers) <= 1 and len(nodes) <= 1 and known.namespace == seen.namespace
