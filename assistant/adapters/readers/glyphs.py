"""Characters as their author typed them, where the font of a PDF names them by another code.

Many fonts draw 一 and the radical ⼀ with one shape, and programs then write the radical's code into the file. The
words would be shown and quoted with characters that nobody typed.
"""

from __future__ import annotations

import unicodedata

# of the radicals that Unicode does not decompose, those that are characters by themselves
_RADICALS = """
⺁厂 ⺂乛 ⺃乚 ⺅亻 ⺇几 ⺉刂 ⺋㔾 ⺎兀 ⺏尣 ⺐尢 ⺒巳 ⺓幺 ⺔彑 ⺕彐 ⺖忄 ⺗㣺 ⺘扌 ⺙攵 ⺛旡 ⺜日 ⺝月 ⺞歺 ⺠民 ⺡氵
⺢氺 ⺣灬 ⺤爫 ⺦丬 ⺧牛 ⺨犭 ⺩王 ⺪疋 ⺫罒 ⺬示 ⺭礻 ⺮竹 ⺯糹 ⺰纟 ⺱罓 ⺲罒 ⺳网 ⺶羊 ⺷羊 ⺸羊 ⺹耂 ⺺肀 ⺻聿 ⺼肉
⺽臼 ⺾艹 ⺿艹 ⻀艹 ⻁虎 ⻂衤 ⻃覀 ⻄西 ⻅见 ⻆角 ⻇角 ⻈讠 ⻉贝 ⻊足 ⻋车 ⻌辶 ⻍辶 ⻎辶 ⻏阝 ⻐钅 ⻑長 ⻒镸 ⻓长 ⻔门
⻖阝 ⻗雨 ⻘青 ⻙韦 ⻚页 ⻛风 ⻜飞 ⻝食 ⻟飠 ⻠饣 ⻡首 ⻢马 ⻣骨 ⻤鬼 ⻥鱼 ⻦鸟 ⻧卤 ⻨麦 ⻩黄 ⻪黾 ⻫斉 ⻬齐 ⻭歯 ⻮齿
⻯竜 ⻰龙 ⻱龜 ⻲亀 ⻳龟
"""
_WIDE_BLANKS = "\u2001\u2003"  # as wide as a Chinese character, as which they stand


def _table() -> dict[int, str]:
    table = {ord(pair[0]): pair[1] for pair in _RADICALS.split()}
    for code in (*range(0x2E80, 0x2FE0), *range(0xF900, 0xFB00)):
        plain = unicodedata.normalize("NFKC", chr(code))
        if len(plain) == 1 and plain != chr(code):
            table[code] = plain
    return table | dict.fromkeys(map(ord, _WIDE_BLANKS), "\u3000")


_TABLE = _table()


def as_typed(text: str) -> str:
    """
    >>> as_typed("第⼀条\\u2003专⻔⽂件")
    '第一条　专门文件'
    """
    return text.translate(_TABLE)
