"""Just enough of Swift's syntax to find where a declaration, its body and its initial value begin and end."""

import re

OPENING = {"(": ")", "[": "]", "{": "}"}
CLOSING = set(OPENING.values())


def skip(text, i):
    """The end of the comment or string literal that begins at i; i itself when none does."""
    if text.startswith("//", i):
        end = text.find("\n", i)
        return len(text) if end < 0 else end
    if text.startswith("/*", i):
        depth, i = 1, i + 2
        while depth and i < len(text):
            if text.startswith("/*", i):
                depth, i = depth + 1, i + 2
            elif text.startswith("*/", i):
                depth, i = depth - 1, i + 2
            else:
                i += 1
        return i
    match = re.compile(r'(#*)("""|")').match(text, i)
    if not match:
        return i
    hashes, quote = match.groups()
    i = match.end()
    while i < len(text):
        if text.startswith(quote + hashes, i):
            return i + len(quote) + len(hashes)
        if text.startswith("\\" + hashes, i):
            i += 1 + len(hashes)
            # An interpolation may hold strings of its own.
            i = close(text, i) if text.startswith("(", i) else i + 1
        else:
            i += 1
    return i


def close(text, i):
    """The index after the bracket that closes the one at i."""
    stack = []
    while i < len(text):
        after = skip(text, i)
        if after != i:
            i = after
            continue
        if text[i] in OPENING:
            stack.append(OPENING[text[i]])
        elif text[i] in CLOSING:
            stack.pop()
            if not stack:
                return i + 1
        i += 1
    raise ValueError("a bracket is not closed")


def find(text, i, wanted):
    """The first of the wanted characters after i outside brackets, strings and comments, or None when the declaration ends before."""
    while i < len(text):
        after = skip(text, i)
        if after != i:
            i = after
            continue
        if text[i] in wanted and not (text[i] == "=" and text[i + 1] == "="):
            return i
        if text[i] in CLOSING:
            return None
        if text[i] == "\n" and ends(text, i):
            return None
        i = close(text, i) if text[i] in OPENING else i + 1
    return None


def ends(text, i):
    """Whether the line break at i ends a statement."""
    before = text[:i].rstrip()
    after = text[i:].lstrip()
    if re.search(r"([=,(&|+?:\-*/<]|->|\b(throws|async|where|return))$", before):
        return False
    return not re.match(r"([.?:,)={&|+*]|->|(throws|async|where)\b)", after)


def statement_end(text, i):
    """Where the statement around i ends."""
    while i < len(text):
        after = skip(text, i)
        if after != i:
            i = after
        elif text[i] in OPENING:
            i = close(text, i)
        elif text[i] in CLOSING or text[i] == ";" or text[i] == "\n" and ends(text, i):
            return i
        else:
            i += 1
    return i


def words(text):
    """The words of a body that stand outside all brackets, strings and comments."""
    found, i = [], 0
    while i < len(text):
        after = skip(text, i)
        if after != i:
            i = after
        elif text[i] in OPENING:
            i = close(text, i)
        elif match := re.compile(r"[A-Za-z_]\w*").match(text, i):
            found.append(match.group())
            i = match.end()
        else:
            i += 1
    return found


def first_word(text):
    """The first word of a body, or its first other character."""
    i = 0
    while i < len(text):
        after = skip(text, i)
        if after != i and text[i] == "/":
            i = after
        elif text[i].isspace():
            i += 1
        else:
            match = re.compile(r"@?[A-Za-z_]\w*|.").match(text, i)
            return match.group()
    return ""


def is_expression(body):
    """Whether the body of something that returns a value is one expression, whose `return` may be left out."""
    first = first_word(body)
    if first in ("let", "var", "guard", "for", "while", "do", "defer", "repeat", "return", "throw", "func", "#", "_"):
        return False
    if first in ("if", "switch"):
        return not re.search(r"\breturn\b", body)
    return "return" not in words(body)
