"""What a row of the table must fulfil."""

import collections

import results as ran
import table

STATUSES = ("present", "replaced", "absent", "planned", "open")
SCENARIO_STATUSES = ("covered", "absent", "planned", "open")


def check(rows, names, results, not_run=(), counts=table.COUNTS):
    """The complaints about the rows.

    - names: the public symbols; None to leave them out
    - results: how the tests ended, by name; None to leave them out
    - not_run: modules of tests whose results are not there and not missed
    """
    complaints = []
    seen = collections.Counter(row.id for row in rows)
    have = collections.Counter(row.file for row in rows)
    for file in sorted(counts.keys() | have.keys()):
        if have[file] != counts.get(file, 0):
            complaints.append(f"{file}.jsonl: has {have[file]} rows instead of {counts.get(file, 0)}")
    for row in rows:
        found = list(check_scenario(row) if row.is_scenario else check_member(row))
        if seen[row.id] > 1:
            found.append("the id is not unique")
        if row.is_proven:
            found += check_proof(row, names, results, not_run)
        complaints += [f"{row}: {text}" for text in found]
    return complaints


def check_status(row, statuses):
    if row.status not in statuses:
        yield f"\"{row.status}\" is no status"
    elif row.status == "open":
        yield "is open"
    elif row.status in ("absent", "planned", "replaced") and not row.note:
        yield f"is {row.status} without a note"
    if row.status == "planned" and row.is_required:
        yield "may not be planned: it belongs to what must be there now"


def check_member(row):
    yield from check_status(row, STATUSES)
    if row.seeds and row.status in ("absent", "planned"):
        yield f"is {row.status}, but the documents {', '.join(row.seeds)} describe it"
    if row.is_proven and not row.symbols:
        yield "names no symbol"
    if row.is_proven and len(row.fields.get("backends", [])) < 2 and not row.note:
        yield "does not work on every backend and has no note"


def check_scenario(row):
    yield from check_status(row, SCENARIO_STATUSES)


def check_proof(row, names, results, not_run):
    if not row.tests:
        yield "names no test"
    if names is not None:
        for symbol in row.symbols:
            if symbol not in names:
                yield f"there is no public symbol {symbol}"
    if results is not None:
        for test in row.tests:
            if test.split("/")[0].split(".")[0] in not_run:
                continue
            result = results.get(test)
            if result is None:
                yield f"the test {test} did not run"
            elif result != ran.PASSED:
                yield f"the test {test} was {result}" if result == ran.SKIPPED else f"the test {test} failed"


def summary(rows):
    """One line a section, and what it comes to."""
    lines = []
    sections = collections.defaultdict(list)
    for row in rows:
        sections[(row.is_scenario, row.section)].append(row)
    for (is_scenario, section), members in sorted(sections.items()):
        name = f"scenarios {section}" if is_scenario else members[0].file.split("-", 1)[1].replace("-", " ")
        lines.append(f"{'t' if is_scenario else ' '}{section:>2}  {name:<36} {describe(members)}")
    for title, group in (
        ("Later steps", [row for row in rows if not row.is_required]),
        ("Scenarios that must be covered now", [row for row in rows if row.is_required and row.is_scenario]),
        ("Members that must be there now", [row for row in rows if row.is_required and not row.is_scenario]),
    ):
        lines.append(f"{title}: {describe(group)}")
    return lines


def describe(rows):
    count = collections.Counter(row.status for row in rows)
    proven = sum(row.is_proven for row in rows)
    text = f"{proven} of {len(rows) - count['planned'] - count['absent']} proven"
    for status, words in (("absent", "without sense here"), ("planned", "planned"), ("open", "open")):
        if count[status]:
            text += f", {count[status]} {words}"
    return text
