"""The rows and trees against the guide: every branch of the guide is there, and every branch is reached by an output."""

from __future__ import annotations

import re

import pytest
from diagnosing import HANDWRITTEN, examine
from diagnosis_cases import CASES
from support import guide

from playbook.diagnosis.consequences import LINKS
from playbook.diagnosis.rows import ROWS
from playbook.diagnosis.trees import TREES, Branch
from playbook.guide.remedies import KEEP_SECRET
from playbook.resources import folder

TREE_BRANCHES = {
    # the guide's decision trees: what stands before each arrow
    "PermissionError": "CRASH-PERMISSION",
    "ModuleNotFoundError": "CRASH-MODULE",
    "DB connection error": "CRASH-DB",
    "KeyError: 'KIS_APP_KEY'": "CRASH-KEY",
    '"no persistent volumes available"': "PVC-NO-VOLUME",
    "kubectl get sc": "STORAGE-CLASS-ABSENT",
    '"waiting for a volume to be created"': "PVC-WAITING",
    '"unauthorized"': "IMAGE-UNAUTHORIZED",
    '"not found"': "IMAGE-NOT-FOUND",
    '"timeout"': "IMAGE-TIMEOUT",
}
ABNORMAL_ROWS = {
    # the guide's tables of abnormal results: the first cell; in brackets those that are not in English
    "`The connection to the server was refused`": "API-REFUSED",
    "`Unable to connect to the server`": "API-UNREACHABLE",
    "STATUS = `NotReady`": "NODE-NOT-READY",
    '`namespaces "observer-prod" not found`': "NAMESPACE-ABSENT",
    "STATUS = `Pending`": "PVC",
    "(a PVC is missing)": "PVC-ABSENT",
    "(no local-path)": "PROVISIONER-DOWN",
    "(a Service is missing)": "SERVICE-ABSENT",
    "(the PORT differs)": "SERVICE-PORT-WRONG",
    "`CrashLoopBackOff`": "CRASH",
    "`ImagePullBackOff`": "IMAGE",
    "`Pending`": "PENDING",
    "`ContainerCreating` (stuck)": "CREATING",
    "READY = `0/1`": "NOT-READY",
    "`Permission denied`": "WRITE-DENIED",
    "`Read-only file system`": "WRITE-READ-ONLY",
    "`Connection refused`": "DB-REFUSED",
    "`Name resolution failed`": "DB-NAME",
    "RESTARTS": "RESTARTED",
    "STATUS": "STATUS-CHANGED",
}
BESIDE_THE_TABLES = {
    # what the guide calls abnormal in its text: 3-3, 3-4, 3-5, 4, 8-3 and the normal states of 3-1, 3-2, 4, 6-1 and 6-5
    "SECRET-ABSENT", "SECRET-KEY-MISSING", "GHCR-SECRET-ABSENT", "CONFIG-MISMATCH", "DATA-LOST", "EPHEMERAL", "SEALED-CONTROLLER-DOWN",
    "SEALED-SECRET-ABSENT", "CONFIG-KEY-MISSING", "CONFIG-ABSENT", "REPLICAS", "OBSERVER-ABSENT", "POSTGRES-ABSENT", "MOUNT-ABSENT",
}  # fmt: skip


def branches() -> dict[str, list[Branch]]:
    found: dict[str, list[Branch]] = {}
    for branch in [b for tree in TREES for b in tree.branches] + [row.means for row in ROWS if row.means]:
        found.setdefault(branch.id, []).append(branch)
    return found


def test_every_branch_of_the_guide_is_there() -> None:
    there = set(branches()) | {tree.id for tree in TREES}
    assert {*TREE_BRANCHES.values(), *ABNORMAL_ROWS.values(), *BESIDE_THE_TABLES} <= there


def test_the_lists_above_are_the_documents() -> None:
    document = guide()
    if document is None:
        pytest.skip("the guide's document is not here; PLAYBOOK_GUIDE names it")
    text = document.read_text("utf-8")
    trees = text.partition("### Pod CrashLoopBackOff")[2]
    arrows = {found[1].strip() for found in re.finditer(r"[├└]── (.+?) →", trees)}
    assert arrows == set(TREE_BRANCHES)
    rows = set()
    for table in re.findall(r"((?:^\|.*\n)+)", text.partition("| # |")[0], re.M):
        rows |= {line.split("|")[1].strip() for line in table.splitlines()[2:]}
    assert {row for row in rows if row.isascii()} == {row for row in ABNORMAL_ROWS if not row.startswith("(")}
    assert len(rows) == len(ABNORMAL_ROWS)


def test_every_branch_is_reached_by_an_output() -> None:
    reached = {code.partition("/")[0] for case in CASES for code in examine(case).codes}
    assert set(branches()) <= reached


def test_every_handwritten_output_is_used_and_listed() -> None:
    listed = (HANDWRITTEN / "README.md").read_text()
    used = {name for case in CASES for name in case.says.values() if isinstance(name, str)} | {
        "namespace-absent",
        "api-unreachable",
        "db-name",
        "write-denied",
    }
    for path in HANDWRITTEN.glob("*.*.*"):
        name = path.name.split(".")[0]
        assert f"`{name}`" in listed, f"{path.name} is not marked as written by hand"
        assert name in used, f"{path.name} is not used"


def test_rows_and_trees_lead_somewhere() -> None:
    ids = {tree.id for tree in TREES}
    assert len(ids) == len(TREES)
    for row in ROWS:
        assert row.means or row.tree
        assert not row.tree or row.tree in ids
    for tree in TREES:
        assert set(tree.otherwise) <= ids and all(set(b.then) <= ids for b in tree.branches)
        for look in tree.looks:
            name = f"{look}.sh".format(owner="observer")
            assert any(p.is_file() for p in (folder("commands") / name, folder("commands") / "diagnose" / name)), look


def test_links_start_at_causes_that_exist() -> None:
    codes = {*branches(), "UNMATCHED-POD"}
    objects = ("", "/observer", "/postgres", "/data", "/observer-db-pvc")
    for link in LINKS:
        assert any(re.fullmatch(link.roots, code + about) for code in codes for about in objects), link.roots


READ_ONLY_ON_THE_SERVER = {
    "uname -m", "df -h", "timedatectl", "iostat -x 1 3", "getent hosts ghcr.io", "ls -la /run/flannel/subnet.env",
    'sudo journalctl -u k3s --since -10min | grep -E "Slow SQL|took too long|database is locked"',
    "kubectl logs -n kube-system -l app=local-path-provisioner --tail=50", "kubectl logs -n kube-system -l k8s-app=kube-dns --tail=50",
    "kubectl get pods -n kube-system -l k8s-app=kube-dns", "kubectl logs -n sealed-secrets -l name=sealed-secrets-controller",
    "kubectl config view --minify -o jsonpath='{.users[*].user.exec.command}'",
    "kubectl describe sealedsecret {target} -n observer-prod", "export KUBECONFIG=/etc/rancher/k3s/k3s.yaml",
}  # fmt: skip
"""What is said beside the guide's own commands, for causes that the guide does not know; they only look."""
CHANGES = {
    "kubectl uncordon {target}", "kubectl taint nodes {target} {taint}-", "sudo systemctl restart k3s", "sudo timedatectl set-ntp true",
    "sudo k3s crictl rmi --prune",
}  # fmt: skip
"""And these change the cluster or the server: each is marked, and its advice says what it costs."""
OWN_FILE = 'mkdir -p ~/.kube && sudo install -b -m 600 -o "$USER" /etc/rancher/k3s/k3s.yaml ~/.kube/config && export KUBECONFIG=~/.kube/config'


def test_remedies_that_change_the_cluster_are_marked_and_say_what_it_costs() -> None:
    for branch in (branch for several in branches().values() for branch in several):
        for remedy in branch.remedy:
            command = re.sub(r"\{node\}", "{target}", remedy.command)
            if command in CHANGES:
                assert remedy.changes and remedy.advice, command
            elif command in READ_ONLY_ON_THE_SERVER:
                assert not remedy.changes, command


def test_remedies_are_the_guides_commands() -> None:
    texts = {path.read_bytes().decode().rstrip("\n") for place in (folder("commands"), folder("commands") / "diagnose")
             for path in place.iterdir() if path.name.endswith(".sh")}  # fmt: skip
    shapes = {re.sub(r"<(?:pod|name)>", "{target}", text) for text in texts}
    ours = {KEEP_SECRET.command,
            "kubectl describe pvc {target} -n observer-prod"}  # fmt: skip
    for several in branches().values():
        for branch in several:
            for remedy in branch.remedy:
                command = re.sub(r"<(?:pod|name)>|\{(?:node|name)\}", "{target}", remedy.command)
                known = shapes | ours | READ_ONLY_ON_THE_SERVER | CHANGES | {OWN_FILE}
                assert not command or "playbook " in command or command in known, command
