"""What every way out has in common: it sends, or says why not."""


class NotSent(Exception):
    """This try failed. The text names the fault: no number, no code and no words of the message.

    `final` means that no further try can do better; `wait_seconds`, that none is wanted sooner.
    """

    def __init__(self, fault: str, *, final: bool = False, wait_seconds: int = 0) -> None:
        super().__init__(fault)
        self.fault = fault
        self.final = final
        self.wait_seconds = wait_seconds
