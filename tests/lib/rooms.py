"""The tables of kit/README.md: which room may use which, and which headers."""
import fnmatch
import os
import re


class BadTable(Exception):
    """The tables cannot be read, or contradict themselves."""


class Room:
    def __init__(self, name, used_by, rooms, headers, further):
        self.name = name
        self.used_by = used_by    # names of rooms, or None for all
        self.rooms = rooms        # rooms that it may use, itself not among them
        self.headers = headers    # single headers that it may use
        self.further = further    # (glob, file or None)


def _words(cell):
    return re.findall(r"`([^`]+)`", cell)


def _rows(text, first):
    """The cells of the table whose header row begins with the cell `first`."""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if re.match(r"^\|\s*%s\s*\|" % re.escape(first), line):
            for row in lines[i + 2:]:
                if not row.startswith("|"):
                    return
                yield [cell.strip() for cell in row.strip("|").split("|")]
            return
    raise BadTable("no table that begins with '%s'" % first)


class Table:
    def __init__(self, text):
        self.rooms = {}
        sets = {_words(name)[0]: _words(headers) for name, headers in _rows(text, "name")}
        if "everyone" not in sets:
            raise BadTable("the headers of `everyone` are missing")
        self.everyone = sets["everyone"]
        for cells in _rows(text, "room"):
            if len(cells) != 4 or len(_words(cells[0])) != 1:
                raise BadTable("cannot read the row %s" % " | ".join(cells))
            name = _words(cells[0])[0]
            used_by = None if cells[1] == "all" else _words(cells[1])
            uses = _words(cells[2])
            further = []
            for part in cells[3].split(","):
                words = _words(part)
                if not words and part.strip() != "-":
                    raise BadTable("%s: cannot read '%s'" % (name, part.strip()))
                for glob in sets.get(words[0], words[:1]) if words else ():
                    further.append((glob, words[1] if len(words) > 1 else None))
            self.rooms[name] = Room(name, used_by, [u for u in uses if not u.endswith(".h")],
                                    [u for u in uses if u.endswith(".h")], further)
        self._check()

    def _check(self):
        for room in self.rooms.values():
            for used in room.rooms + [os.path.dirname(h) for h in room.headers]:
                if used not in self.rooms:
                    raise BadTable("%s may use %s, which has no row" % (room.name, used))
                by = self.rooms[used].used_by
                if by is not None and room.name not in by:
                    raise BadTable("%s may use %s, whose row does not say so" % (room.name, used))
            for user in room.used_by or ():
                row = self.rooms.get(user)
                if row is None or room.name not in row.rooms + [os.path.dirname(h) for h in row.headers]:
                    raise BadTable("%s is said to be used by %s, whose row does not say so"
                                   % (room.name, user))
        self.order()

    def order(self):
        """The rooms, each after all that it may use."""
        done, way = [], []

        def visit(name):
            if name in done:
                return
            if name in way:
                raise BadTable("a cycle: " + " -> ".join(way[way.index(name):] + [name]))
            way.append(name)
            room = self.rooms[name]
            for used in room.rooms + [os.path.dirname(h) for h in room.headers]:
                visit(used)
            way.pop()
            done.append(name)

        for name in self.rooms:
            visit(name)
        return done

    def room_of(self, path):
        """The room that a file (from the root of the project) lives in, or None."""
        best = None
        for name in self.rooms:
            if path.startswith(name + "/") and (best is None or len(name) > len(best)):
                best = name
        # A directory of its own below kit/ is a room of its own: it needs a row.
        if best and best.startswith("kit/") and os.path.dirname(path) != best:
            return None
        return best

    def system_header_allowed(self, room, header, file):
        if header in self.everyone:
            return True
        return any(fnmatch.fnmatchcase(header, glob) and where in (None, os.path.basename(file))
                   for glob, where in self.rooms[room].further)


def read(root):
    with open(os.path.join(root, "kit/README.md"), encoding="utf-8") as f:
        return Table(f.read())


def strip_comments(text, strings=False):
    """C without its comments (and string literals), line for line."""
    def blank(found):
        word = found.group(0)
        if word[0] in "\"'":
            return word[0] + " " * (len(word) - 2) + word[0] if strings else word
        return re.sub(r"[^\n]", " ", word)
    return re.sub(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text,
                  flags=re.DOTALL)


def sources(root, tops, endings=(".c", ".h")):
    """Paths from `root` of the C files below these directories, sorted."""
    found = []
    for top in tops:
        for where, dirs, files in os.walk(os.path.join(root, top)):
            dirs.sort()
            found += [os.path.relpath(os.path.join(where, f), root) for f in files if f.endswith(endings)]
    return sorted(found)
