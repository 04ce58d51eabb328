# SPDX-License-Identifier: MIT
"""The assembly of the entry paths, as the lints read it: lines without comments, and a way from its label on, with the
macros that it uses written out."""
import re

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
LABEL = re.compile(r"^\s*\w+:")
RETURN = re.compile(r"sret$|sysretq$")


def is_entry(path):
    return bool(re.fullmatch(r"arch/\w+/\w+\.S", path)) and not path.endswith("/start.S")


def lines(text):
    """(number, line without comments and labels) of each that has anything else."""
    text = COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    found = [(number, LABEL.sub("", line).strip()) for number, line in enumerate(text.splitlines(), 1)]
    return [(number, line) for number, line in found if line]


def entries(tree):
    """(path, text) of the entry paths' files."""
    return [(path, text) for path, text in tree.items() if is_entry(path)]


def followed(text):
    """(number, line, the line behind it) of each; behind the last is nothing."""
    found = [*lines(text), (0, "")]
    return [(number, line, after) for (number, line), (_, after) in zip(found, found[1:])]


def ways(text, wanted):
    """{label: its lines in a row, up to the return to the program} of the labels that `wanted` matches."""
    macros, name, body = {}, None, []
    for line in COMMENT.sub(" ", text).splitlines():
        words = line.replace(",", " ").split()
        if words[:1] == [".macro"]:
            name = words[1]
            macros[name] = (words[2:], [])
        elif words == [".endm"]:
            name = None
        elif words:
            (macros[name][1] if name else body).append(line.strip())

    def written_out(line):
        line = LABEL.sub("", line).strip()
        word, _, rest = line.partition(" ")
        if word not in macros:
            return [line]
        parameters, inside = macros[word]
        given = dict(zip(parameters, (argument.strip() for argument in rest.split(","))))
        return [one for line in inside
                for one in written_out(re.sub(r"\\(\w+)(?:\\\(\))?", lambda m: given.get(m[1], m[0]), line))]

    found = {}
    for at, line in enumerate(body):
        label = re.match(r"(\w+):", line)
        if not label or not re.fullmatch(wanted, label[1]):
            continue
        way = found.setdefault(label[1], [])
        for following in body[at:]:
            for one in written_out(following):
                if one:
                    way.append(one)
            if way and RETURN.match(way[-1]):
                break
    return found
