"""What each fault leads to: the one table that the live runs are held against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault and all that is said of it."""

    name: str
    step: str  # the first step that is neither pass nor skipped
    findings: tuple[str, ...]  # families of codes that have the step's verdict there
    overall: str
    exit_code: int
    root: str  # code of the first cause; "" when there is nothing to blame
    criterion: int | None = None
    abort_step: str = ""  # the guide's number of the finding that met the criterion
    verdict: str = "fail"  # of the step
    restart: bool = True  # run with --allow-restart: what a new pod would miss refuses it
    until: str = "9"  # the last step that is run: a pod that starts for 90 s and more is rightly called abnormal
    undo: tuple[str, ...] = ()  # objects that are put back as they were instead of healing everything
    short: bool = False  # one of the five of the short form
    wrong: str = ""  # what today's program says instead: the row is a strict expected failure


FAULTS = (
    # undone cheaply, so first
    Fault("ghcr-missing", "3", ("GHCR-SECRET",), "failed", 1, "GHCR-SECRET-ABSENT",
          undo=("observer-prod/secret/ghcr-secret",)),
    Fault("config-key-missing", "4", ("CONFIG-KEYS",), "failed", 1, "CONFIG-KEY-MISSING",
          undo=("observer-prod/configmap/observer-config",)),
    Fault("config-mismatch", "4", ("CONFIG-PATH",), "aborted", 4, "CONFIG-MISMATCH", 6, "4",
          undo=("observer-prod/configmap/observer-config",), short=True),
    Fault("service-port", "5", ("SERVICE-PORT",), "failed", 1, "SERVICE-PORT-WRONG/observer",
          undo=("observer-prod/service/observer",)),
    Fault("sealed-down", "3", ("SEALED-CONTROLLER",), "failed", 1, "SEALED-CONTROLLER-DOWN",
          undo=("sealed-secrets/deployment/sealed-secrets-controller",)),
    Fault("one-replica", "6", ("PODS-PRESENT",), "failed", 1, "REPLICAS",
          undo=("observer-prod/deployment/observer",)),
    Fault("db-down", "6", ("PODS-PRESENT",), "failed", 1, "POSTGRES-ABSENT",
          undo=("observer-prod/statefulset/postgres",)),
    # the cluster is healed after each of these
    Fault("secret-missing", "3", ("OBSERVER-SECRETS", "SECRET-KEYS"), "aborted", 4, "SECRET-ABSENT", 1, "3-3",
          short=True),
    Fault("secret-key-missing", "3", ("SECRET-KEYS",), "aborted", 4, "SECRET-KEY-MISSING", 3, "6-1", short=True),
    Fault("sealedsecret-missing", "3", ("SEALED-SYNCED", "SEALED-SECRET"), "failed", 1,
          "SEALED-SECRET-ABSENT/obs-kis-secret"),
    Fault("sealed-wrong-key", "3", ("SEALED-SYNCED", "SEALED-SECRET"), "failed", 1, "SEALED-WRONG-KEY/obs-kis-secret"),
    Fault("pvc-pending", "2", ("PVC-BOUND",), "aborted", 4, "PVC-WAITING", 2, "2"),
    Fault("service-missing", "5", ("SERVICE",), "failed", 1, "SERVICE-ABSENT/postgres", short=True),
    Fault("cordoned", "0", ("NODE-READY",), "failed", 1, "NODE-CORDONED/oracle-obs-arm"),
    Fault("dns-down", "7", ("DB-CONNECTION",), "failed", 1, "DNS-DOWN"),
    Fault("lookalikes", "9", ("STABLE", "RECENT-FILES"), "incomplete", 3, "", verdict="pending", restart=False),
    Fault("image-missing", "6", ("POD-STATUS", "EVENTS-OBSERVER"), "failed", 1, "IMAGE-NOT-FOUND/observer"),
    # as the one before, but for what the registry says: Steps 7 and 8, a minute each, are left to that one
    Fault("image-other-cpu", "6", ("POD-STATUS", "EVENTS-OBSERVER"), "failed", 1, "IMAGE-OTHER-CPU/observer", until="6"),
    Fault("image-rate-limit", "6", ("POD-STATUS", "EVENTS-OBSERVER"), "failed", 1, "IMAGE-RATE-LIMIT/observer", until="6"),
    Fault("image-forbidden", "6", ("POD-STATUS", "EVENTS-OBSERVER"), "failed", 1, "IMAGE-FORBIDDEN/observer", until="6"),
    Fault("exec-format", "6", ("CRASH-LOOP", "LOG-OBSERVER"), "aborted", 4, "CRASH-OTHER-CPU/observer", 3, "6-1"),
    Fault("oom", "6", ("CRASH-LOOP",), "aborted", 4, "CRASH-OOM/observer", 3, "6-1"),
    Fault("init-waiting", "6", ("POD-STATUS",), "incomplete", 3, "", verdict="inconclusive", until="6"),
    Fault("postgres-permissions", "6", ("CRASH-LOOP",), "aborted", 4, "CRASH-PERMISSION/postgres", 3, "6-1"),
    Fault("not-ready", "6", ("POD-STATUS",), "failed", 1, "NOT-READY/observer"),
    Fault("read-only", "6", ("WRITE",), "failed", 1, "WRITE-READ-ONLY/logs"),
    # Criterion 4 is not met, because the interlock refuses the delete of pods whose data is not on its PVC, and nothing is lost.
    Fault("ephemeral-data", "6", ("MOUNT",), "failed", 1, "EPHEMERAL/data", short=True),
    Fault("restarts", "6", ("POD-RESTARTS",), "incomplete", 3, "RESTARTED/observer", verdict="warn", restart=False),
    Fault("node-not-ready", "0", ("NODE-READY",), "failed", 1, "NODE-NOT-READY/oracle-obs-arm"),
    Fault("api-down", "0", ("API-REACHED",), "failed", 1, "API-REFUSED"),
    # these leave dead pods behind, which only a new namespace is rid of
    # the shells are a warning; that the new pods had to wait for the taint to go is a Warning event, as long as it lasts
    Fault("evicted-left", "6", ("EVENTS-OBSERVER", "EVENTS-POSTGRES"), "failed", 1, "UNMATCHED/EVENTS-OBSERVER"),
    # the pressure evicts the SealedSecret controller, too: what Step 3 sees has the same root
    Fault("disk-pressure", "3", ("SEALED-CONTROLLER",), "failed", 1, "PENDING-RESOURCES/postgres"),
)  # fmt: skip
"""Every fault that `break` knows."""
