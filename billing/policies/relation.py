"""How an insured person stands to the policyholder (X21)."""

from collections.abc import Mapping
from enum import StrEnum


class Relation(StrEnum):
    """The insured person is the policyholder's ..."""

    SELF = "self"
    SPOUSE = "spouse"
    CHILD = "child"
    PARENT = "parent"
    PARENT_IN_LAW = "parent_in_law"
    SIBLING = "sibling"
    OTHER = "other"


DIRECT = frozenset({Relation.SELF, Relation.SPOUSE, Relation.CHILD, Relation.PARENT})
"""本人 and 直系亲属: parents, children, spouse (X21)."""

FAMILY = DIRECT | {Relation.SIBLING}
"""家属、家人: the same and siblings (X21)."""

_CHINESE: Mapping[Relation, tuple[str, ...]] = {
    Relation.SELF: ("本人", "投保人本人"),
    Relation.SPOUSE: ("配偶", "夫妻", "丈夫", "妻子"),
    Relation.CHILD: ("子女", "儿子", "女儿", "孩子"),
    Relation.PARENT: ("父母", "父亲", "母亲"),
    Relation.PARENT_IN_LAW: ("配偶父母", "岳父", "岳母", "岳父母", "公公", "婆婆", "公婆"),
    Relation.SIBLING: ("兄弟姐妹", "兄弟", "姐妹", "哥哥", "弟弟", "姐姐", "妹妹"),
    Relation.OTHER: ("其他", "其它"),
}

WORDS: Mapping[str, Relation] = {
    **{relation.value: relation for relation in Relation},
    **{word: relation for relation, words in _CHINESE.items() for word in words},
}
"""What an insurer's list may say, in small letters."""
