"""An insurer's file that cannot be read."""

from billing.policies.file_faults import FileFaultCode, file_fault
from warmline.exits import Unusable


class ListUnreadable(Unusable):
    """The file is no list that may be read; `fault` says why, in one sentence what to do."""

    def __init__(self, code: FileFaultCode, **given: object) -> None:
        self.fault = file_fault(code, **given)
        super().__init__(str(self.fault))
