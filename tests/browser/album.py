"""The pictures that the READMEs show, made of those that the browser tests keep: `make pictures`.

Chromium makes them small, so that nothing more has to be installed.
"""

import base64
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path("docs/pictures")
WIDTHS = (390, 1280)
MOST_BYTES = 3_000_000
_CHROMIUM = "/usr/bin/chromium"
_KEPT = {390: (312, 1300), 1280: (832, 1150)}
"""How wide a picture is kept, and how much of a long page."""

_SHOWN = {390: 96, 1280: 296}
_BEGIN, _END = "<!-- pictures: see `make pictures` -->", "<!-- pictures end -->"
_SHRINK = """async ([png, width, most]) => {
    const image = new Image();
    image.src = `data:image/png;base64,${png}`;
    await image.decode();
    const height = Math.round(image.naturalHeight * width / image.naturalWidth);
    const canvas = new OffscreenCanvas(width, Math.min(height, most));
    const context = canvas.getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, width, height);
    const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.57 });
    const bytes = new Uint8Array(await blob.arrayBuffer());
    return btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join(''));
}"""


@dataclass(frozen=True, slots=True)
class Screen:
    """What a test calls a screen, and what people do."""

    name: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Section:
    """One audience's screens."""

    zh: str
    en: str
    screens: tuple[Screen, ...]


SECTIONS = (
    Section(
        "来电者",
        "Callers",
        (
            Screen("verify", "验证手机号", "Verify the number"),
            Screen("code-wrong", "验证码不对", "A wrong code"),
            Screen("home", "我的券和订单", "Vouchers and orders"),
            Screen("choosing", "选咨询师、兑换", "Choose somebody, redeem"),
            Screen("voucher-wrong", "兑换码不对", "A wrong voucher code"),
            Screen("ready", "拨打之前", "Before the call"),
            Screen("ringing-you", "正在响铃", "Ringing"),
            Screen("queued", "排队", "In line"),
            Screen("connected", "通话中", "Connected"),
            Screen("parted", "掉线，正在接回", "A line was lost"),
            Screen("not-answered", "稍后再拨", "Rung again in a while"),
            Screen("offline", "断网", "No network"),
            Screen("booking", "预约时间", "Book a time"),
            Screen("appointed", "约好了", "Appointed"),
            Screen("home-appointed", "首页上的预约", "On the first page"),
            Screen("cancelling", "取消预约", "Give it up"),
            Screen("cancelled", "已取消", "Given up"),
            Screen("closed", "服务时间外", "Outside the hours"),
            Screen("interrupted", "继续剩下的时间", "Go on with what is left"),
            Screen("completed", "评价", "Rate"),
            Screen("doctor-summary", "医生的小结", "A doctor's summary"),
            Screen("claim", "反馈问题", "Claim"),
            Screen("claim-progress", "反馈的进展", "Its progress"),
            Screen("claim-appealed", "申请复议", "Appealed"),
            Screen("claim-reissued", "补发的券", "A new voucher"),
            Screen("home-reissued", "首页上的新券", "And where it is"),
            Screen("history", "历史", "History"),
            Screen("away", "连不上服务", "The service is away"),
            Screen("signing-out", "退出", "Sign out"),
        ),
    ),
    Section(
        "咨询师",
        "Counselors",
        (
            Screen("sign-in", "登录", "Sign in"),
            Screen("readiness-reached", "上线前检查", "Before going online"),
            Screen("desk-free", "等待来电", "Waiting for a call"),
            Screen("offer", "来电", "An offer"),
            Screen("talking", "通话", "The talk"),
            Screen("time-up", "时间到了，可以延长", "Time is up, give more"),
            Screen("risk", "风险筛查", "Risk screen"),
            Screen("crisis-asked", "请机构上线", "Bring help to the line"),
            Screen("handing-over", "三方转接", "Hand over"),
            Screen("wrap-up", "写记录", "Notes"),
            Screen("two-windows", "两个窗口", "Two windows"),
            Screen("desk-offline", "断网", "No network"),
            Screen("shortcuts", "快捷键", "Shortcuts"),
            Screen("sent-away", "连续不接之后", "After declining in a row"),
            Screen("day", "我的一天", "My day"),
        ),
    ),
    Section(
        "客服",
        "Support",
        (
            Screen("office-queue", "按期限排列", "Claims by deadline"),
            Screen("office-claim", "一件反馈", "A case"),
            Screen("office-order", "一个订单", "An order"),
            Screen("office-search", "查找", "Search"),
        ),
    ),
    Section(
        "督导",
        "Supervisors",
        (
            Screen("office-wallboard", "大屏", "Wallboard"),
            Screen("office-half-hours", "时段", "Half hours"),
            Screen("office-counselors", "咨询师", "Counselors"),
        ),
    ),
    Section(
        "运营",
        "Operators",
        (
            Screen("office-health", "系统状况", "Health"),
            Screen("office-programs", "服务", "Programs"),
            Screen("office-policies", "保单", "Policies"),
            Screen("office-policies-diff", "导入前看变化", "What an import changes"),
            Screen("office-vouchers", "券", "Vouchers"),
            Screen("office-people", "人员与密钥", "People and keys"),
            Screen("office-account-opened", "新账户", "A new account"),
            Screen("second-factor", "第二因素", "Second factor"),
            Screen("office-reports", "报表", "Reports"),
        ),
    ),
)
READMES = {"zh": Path("README.zh-CN.md"), "en": Path("README.md")}
_LANGUAGES = {"zh": "zh-CN", "en": "en"}


def kept(language: str, name: str, width: int) -> Path:
    """Where the picture of a screen is."""
    return FOLDER / language / f"{name}-{width}.webp"


def taken(language: str) -> list[Screen]:
    """The screens that have both pictures in that language."""
    every = (screen for section in SECTIONS for screen in section.screens)
    return [one for one in every if all(kept(language, one.name, w).exists() for w in WIDTHS)]


def album(language: str) -> str:
    """The part of a README that shows every screen, folded by audience."""
    there = {screen.name for screen in taken(language)}
    return "\n".join(
        [
            _BEGIN,
            *(line for section in SECTIONS for line in _section(section, language, there)),
            _END,
        ]
    )


def _section(section: Section, language: str, there: set[str]) -> Iterator[str]:
    yield f"<details><summary>{getattr(section, language)}</summary>"
    yield "<table>"
    shown = [screen for screen in section.screens if screen.name in there]
    for first in range(0, len(shown), 2):
        yield "<tr>"
        yield from (_cell(screen, language) for screen in shown[first : first + 2])
        yield "</tr>"
    yield "</table></details>"


def _cell(screen: Screen, language: str) -> str:
    title = getattr(screen, language)
    pictures = " ".join(
        f'<img src="{kept(language, screen.name, width)}" width="{_SHOWN[width]}" '
        f'alt="{title} · {width} px">'
        for width in WIDTHS
    )
    return f"<td>{title}<br>{pictures}</td>"


def _shrink(page: Page, source: Path, target: Path, width: int) -> None:
    png = base64.b64encode(source.read_bytes()).decode()
    webp = page.evaluate(_SHRINK, [png, *_KEPT[width]])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(base64.b64decode(webp))


def _keep_all(source: Path) -> None:
    """A picture that was not taken this time stays as it was."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        for language, named in _LANGUAGES.items():
            for screen in (one for section in SECTIONS for one in section.screens):
                for width in WIDTHS:
                    png = source / f"{screen.name}-{width}-{named}.png"
                    if png.exists():
                        _shrink(page, png, kept(language, screen.name, width), width)
        browser.close()


def main(source: Path) -> None:
    """Make the pictures small, and show them."""
    _keep_all(source)
    for language, readme in READMES.items():
        before, _, rest = readme.read_text(encoding="utf-8").partition(_BEGIN)
        after = rest.partition(_END)[2]
        readme.write_text(f"{before}{album(language)}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
