"""Which tests ran, and how they ended: the files that `swift test --xunit-output` writes."""

import pathlib
import xml.etree.ElementTree as xml

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


def load(files):
    """From the name of each test, `Module.Suite/function(labels:)`, to how it ended."""
    results = {}
    for file in files:
        try:
            tree = xml.parse(file)
        except xml.ParseError:
            raise SystemExit(f"{file} is not whole: the run of tests that wrote it did not end")
        for case in tree.iter("testcase"):
            name = f"{case.get('classname')}/{case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                results[name] = FAILED
            elif case.find("skipped") is not None:
                results.setdefault(name, SKIPPED)
            else:
                # A test may be skipped in one run and pass in another, but must not fail in any.
                if results.get(name) != FAILED:
                    results[name] = PASSED
    return results


def written(path):
    """The files of a run that was told to write `path`: with XCTest beside it the runner puts a suffix into the name."""
    path = pathlib.Path(path)
    return [file for file in (path, path.with_name(f"{path.stem}-swift-testing{path.suffix}")) if file.exists()]
