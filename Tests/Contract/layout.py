"""How JSON is laid out in the files of `schemas/`: what fits on a line stands on one."""

import json

WIDTH = 140


def laid_out(value, indent="", before=0, after=1):
    """A value as text.

    `indent` is that of its last line, `before` and `after` are how many characters stand on its line before and behind it.
    """
    line = one_line(value)
    if len(indent) + before + len(line) + after <= WIDTH or not value or not isinstance(value, (dict, list)):
        return line
    inner = indent + "  "
    if isinstance(value, list):
        if not any(isinstance(element, (dict, list)) for element in value):
            return "[\n" + filled([one_line(element) for element in value], inner) + f"\n{indent}]"
        lines = [laid_out(element, inner) for element in value]
    else:
        lines = []
        for key, member in value.items():
            name = json.dumps(key, ensure_ascii=False) + ": "
            lines.append(name + laid_out(member, inner, len(name)))
    return ("[" if isinstance(value, list) else "{") + "".join(
        f"\n{inner}{line}{',' if number < len(lines) else ''}" for number, line in enumerate(lines, 1)
    ) + f"\n{indent}" + ("]" if isinstance(value, list) else "}")


def one_line(value):
    if isinstance(value, dict) and value:
        return "{ " + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {one_line(member)}" for key, member in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(one_line(element) for element in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def filled(words, indent):
    lines, line = [], ""
    for number, word in enumerate(words, 1):
        word += "," if number < len(words) else ""
        if line and len(indent) + len(line) + 1 + len(word) > WIDTH:
            lines.append(indent + line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, indent + line])
