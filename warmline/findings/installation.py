"""What each finding about the installation itself means."""

from collections.abc import Mapping

from warmline.findings.codes import FindingCode, Health, Kind

_GOOD, _WARNING, _WRONG = Health.GOOD, Health.WARNING, Health.WRONG

OF_INSTALLATION: Mapping[FindingCode, Kind] = {
    FindingCode.SETTINGS_GOOD: Kind("settings", _GOOD, "every setting is known and can be used"),
    FindingCode.DATA_DIR_GOOD: Kind("data directory", _GOOD, "{folder} is writable"),
    FindingCode.DATA_DIR_WRONG: Kind("data directory", _WRONG, "{why}"),
    FindingCode.SECRET_GIVEN: Kind("secret", _GOOD, "given by WARMLINE_SECRET_KEY"),
    FindingCode.SECRET_TO_COME: Kind("secret", _GOOD, "will be made in {file} at the first start"),
    FindingCode.SECRET_UNREADABLE: Kind(
        "secret", _WRONG, "{file} cannot be read ({why}): mend its owner and mode."
    ),
    FindingCode.SECRET_OPEN: Kind(
        "secret", _WRONG, "{file} can be read by others (mode {mode}): run chmod 600 {file}."
    ),
    FindingCode.SECRET_GOOD: Kind("secret", _GOOD, "{file} is ours alone"),
    FindingCode.SMS_WRONG: Kind("sms", _WRONG, "{why}"),
    FindingCode.SMS_GATEWAY: Kind("sms", _GOOD, "sent by the gateway that WARMLINE_SMS_URL names"),
    FindingCode.SMS_TWILIO: Kind("sms", _GOOD, "sent by Twilio"),
    FindingCode.SMS_NOT_SENT: Kind(
        "sms",
        _WRONG,
        "WARMLINE_CARRIER={carrier} reaches real people, but WARMLINE_SMS=log sends them nothing: "
        "set WARMLINE_SMS=http, and WARMLINE_SMS_URL and WARMLINE_SMS_SECRET to those of your "
        "gateway, or WARMLINE_SMS=twilio.",
    ),
    FindingCode.SMS_GATEWAY_UNUSED: Kind(
        "sms",
        _WARNING,
        "WARMLINE_SMS_URL names a gateway, but WARMLINE_SMS=log sends it nothing: set "
        "WARMLINE_SMS=http, or leave the address out.",
    ),
    FindingCode.SMS_SIMULATED: Kind(
        "sms", _GOOD, "simulated: messages are shown at GET /sim/messages"
    ),
    FindingCode.CARRIER_SIMULATED: Kind("carrier", _GOOD, "simulated: no phone line is used"),
    FindingCode.CARRIER_HANDSETS: Kind("carrier", _GOOD, "simulated, at {url}"),
    FindingCode.CARRIER_NO_HANDSETS: Kind(
        "carrier",
        _WRONG,
        "No handsets answer at {url}: start `warmline handsets` there, or mend "
        "WARMLINE_HANDSETS_URL.",
    ),
    FindingCode.CARRIER_WRONG: Kind("carrier", _WRONG, "{why}"),
    FindingCode.CARRIER_ASTERISK: Kind(
        "carrier", _GOOD, "Asterisk {version} at {url}, trunk {trunk}"
    ),
    FindingCode.CARRIER_TRUNK_AWAY: Kind(
        "carrier",
        _WARNING,
        "Asterisk {version} answers, but its trunk {trunk} is away: nobody can be rung.",
    ),
    FindingCode.CARRIER_OTHER_VERSION: Kind(
        "carrier",
        _WARNING,
        "Asterisk {version} answers; Warmline is made for {made_for} and was tried on it.",
    ),
    FindingCode.CARRIER_TWILIO: Kind("carrier", _GOOD, "twilio: what is set is enough to ask it"),
    FindingCode.PROMPTS_UNUSED: Kind("prompts", _GOOD, "not used: this carrier plays no files"),
    FindingCode.PROMPTS_WRONG: Kind("prompts", _WRONG, "{why}"),
    FindingCode.PROMPTS_MISSING: Kind(
        "prompts",
        _WRONG,
        "{count} prompts have no recording, so people hear nothing there ({some} ..): run "
        "`warmline prompts build`.",
    ),
    FindingCode.PROMPTS_UNPLAYABLE: Kind("prompts", _WRONG, "cannot be played: {which}."),
    FindingCode.PROMPTS_OUTDATED: Kind(
        "prompts",
        _WARNING,
        "{count} recordings say an earlier text: run `warmline prompts build`.",
    ),
    FindingCode.PROMPTS_GOOD: Kind(
        "prompts", _GOOD, "{count} are recorded, {own} of them your own"
    ),
    FindingCode.REDIS_UNUSED: Kind("redis", _GOOD, "not used: one process serves"),
    FindingCode.REDIS_GOOD: Kind("redis", _GOOD, "answers"),
    FindingCode.REDIS_AWAY: Kind(
        "redis",
        _WARNING,
        "Redis does not answer, so live feeds are late and limits count per process: start it or "
        "mend WARMLINE_REDIS_URL.",
    ),
    FindingCode.DATABASE_GOOD: Kind("database", _GOOD, "PostgreSQL {version} answers"),
    FindingCode.DATABASE_WRONG: Kind("database", _WRONG, "{why}"),
    FindingCode.MIGRATIONS_WRONG: Kind("migrations", _WRONG, "{why}"),
    FindingCode.MIGRATIONS_MISSING: Kind(
        "migrations", _WARNING, "{count} migrations are missing: run `warmline migrate`."
    ),
    FindingCode.MIGRATIONS_GOOD: Kind("migrations", _GOOD, "all are applied"),
    FindingCode.CLOCK_OFF: Kind(
        "clock",
        _WARNING,
        "The database's clock is {seconds} s off ours: let both follow one NTP server.",
    ),
    FindingCode.CLOCK_GOOD: Kind("clock", _GOOD, "the database's clock agrees with ours"),
    FindingCode.QUEUE_WRONG: Kind(
        "queue",
        _WRONG,
        "PgQueuer's tables are missing or of another version: run `warmline migrate`.",
    ),
    FindingCode.QUEUE_FAILED: Kind(
        "queue",
        _WARNING,
        "{count} background jobs failed within a day: see the table job_faults and the log.",
    ),
    FindingCode.QUEUE_GOOD: Kind(
        "queue", _GOOD, "its tables are there, and no job failed within a day"
    ),
    FindingCode.NUMBERS_NONE: Kind("numbers", _GOOD, "none is stored yet"),
    FindingCode.NUMBERS_WITHOUT_SECRET: Kind(
        "numbers",
        _WRONG,
        "Numbers are stored, but {file} is gone: put it back from a backup or set "
        "WARMLINE_SECRET_KEY; without it they cannot be read.",
    ),
    FindingCode.NUMBERS_OTHER_SECRET: Kind(
        "numbers",
        _WRONG,
        "The stored numbers were sealed with another secret: set WARMLINE_SECRET_KEY to the "
        "new one and the old one behind it, separated by a comma.",
    ),
    FindingCode.NUMBERS_GOOD: Kind("numbers", _GOOD, "the stored numbers can be read"),
    FindingCode.REST_PUT_OFF: Kind(
        "rest",
        _WARNING,
        "{count} orders or vouchers cannot come to rest: see the table lapse_faults and the log; "
        "they are tried again every minute.",
    ),
    FindingCode.REST_GOOD: Kind(
        "rest", _GOOD, "every order and voucher past its time came to rest"
    ),
    FindingCode.CHANGES_WRONG: Kind("changes", _WRONG, "{why}"),
    FindingCode.CHANGES_UNTOLD: Kind(
        "changes",
        _WARNING,
        "{which}: tell these customers yourself, or put the change off.",
    ),
    FindingCode.CHANGES_GOOD: Kind(
        "changes", _GOOD, "customers are told ahead of all that is announced"
    ),
    FindingCode.HOLIDAYS_NONE: Kind(
        "holidays",
        _WARNING,
        "No holidays are loaded for {tenant}: `warmline serve` seeds them when it starts.",
    ),
    FindingCode.HOLIDAYS_GOOD: Kind(
        "holidays", _GOOD, "known until the end of {year} for {tenant}"
    ),
    FindingCode.HOLIDAYS_ENDING: Kind(
        "holidays",
        _WARNING,
        "{year} holidays are not loaded for {tenant}: before the year begins, run "
        "`warmline holidays import` with their list.",
    ),
}
