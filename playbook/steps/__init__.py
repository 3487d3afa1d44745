"""The ten steps of the guide, in its order. Each module stands beside the guide's Step N and `commands/stepN-*`."""

from __future__ import annotations

from .base import Step
from .step0_cluster import STEP as _STEP0
from .step1_namespace import STEP as _STEP1
from .step2_pvc import STEP as _STEP2
from .step3_secrets import STEP as _STEP3
from .step4_configmap import STEP as _STEP4
from .step5_services import STEP as _STEP5
from .step6_pods import STEP as _STEP6
from .step7_health import STEP as _STEP7
from .step8_persistence import STEP as _STEP8
from .step9_stability import STEP as _STEP9

STEPS: tuple[Step, ...] = (
    _STEP0, _STEP1, _STEP2, _STEP3, _STEP4, _STEP5, _STEP6, _STEP7, _STEP8, _STEP9,
)  # fmt: skip

__all__ = ["STEPS", "Step"]
