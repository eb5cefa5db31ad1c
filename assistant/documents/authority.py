"""Whether an article is official: the body that issued or applies the rule explains it itself.

Comes in: what the article says of itself. Goes out: yes or no. In doubt it is commentary, because an official
interpretation stands above commentary in answers: a newspaper that reports or a scholar who explains is not official,
on whatever site it stands.
"""

from __future__ import annotations

import re

from assistant.law.text import fold

_BODY = "|".join(
    (
        "中共中央(?:办公厅|组织部|宣传部|统战部|政法委员会|纪律检查委员会)?",
        "中央纪委(?:国家监委|办公厅|法规室|案件审理室|监察部)?",
        "中央纪律检查委员会|国家监察?委(?:员会)?",
        "中央(?:办公厅|组织部|宣传部|政法委|党的建设工作领导小组|巡视工作领导小组)|中办(?:法规局)?|中组部",
        "国务院(?:办公厅|法制办公室|法制办|[\\u4e00-\\u9fff]{2,10})?",
        "全国人大(?:常委会)?(?:法制工作委员会|法工委)|法制工作委员会|全国人民代表大会常务委员会",
        "最高人民(?:法院|检察院)|国家(?:信访局|公务员局)|人力资源(?:和)?社会保障部|司法部|公安部|审计署|财政部|监察部",
    )
)
_LOCAL = (
    "[\\u4e00-\\u9fff]{2,16}(?:纪委|监委|监察委员会|委员会|办公厅|办公室|人民政府|法院|检察院|信访局|组织部)"
)
_SPEAKER = "(?:法规室|有关部门|相关部门|有关)?(?:主要)?(?:负责人|负责同志|新闻发言人)"
_ANSWERS = re.compile(
    rf"(?:{_BODY}|{_LOCAL}|有关部门)\S{{0,12}}?{_SPEAKER}.{{0,60}}?"
    "(?:答记者问|答问|回答.{0,6}(?:记者|提问)|接受.{0,12}采访)"
)
_EXPLAINS = re.compile("释义|解读|解释|答记者问|答问|问答|起草说明|的说明|理解与适用")
_PRIVATE = re.compile(
    "专家|学者|律师|教授|评论|浅[析谈议]|探析|研究|思考|笔谈|我看|读懂|一图|小编|笔者|心得|体会|观察"
)
_BODY_ALONE = re.compile(rf"^(?:{_BODY})(?:编|编写|编著|供稿)?$")
_BODY_SPEAKS = re.compile(rf"(?:{_BODY})(?:{_SPEAKER})?(?:关于|就|对|：|发布|印发|编写|《)")


def is_official(title: str, author: str, opening: str) -> bool:
    """Whether the issuing body itself explains the rule. ``opening`` is how the text begins.

    >>> is_official('中央组织部负责人就印发《试验条例》答记者问', '某报记者', '')
    True
    >>> is_official('某教授解读《试验条例》', '', ''), is_official('《试验条例》释义', '法制工作委员会', '')
    (False, True)
    """
    title, author, opening = fold(title), fold(author), fold(opening)[:400]
    if not _EXPLAINS.search(title) or _PRIVATE.search(title):
        return False
    if re.search("答记者问|答问", title):
        return bool(_ANSWERS.search(title) or _ANSWERS.search(opening))
    if author:
        return bool(_BODY_ALONE.match(author))
    return bool(_BODY_SPEAKS.match(title))
