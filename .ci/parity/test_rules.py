"""The checks find what is wrong: one broken row each."""

import json
import pathlib
import tempfile
import unittest

import results
import rules
import table

NAMES = {"SslSocket.peek(_:)": [], "SslSocket.skip(_:)": []}
TESTS = {"M.S/good()": results.PASSED, "M.S/bad()": results.FAILED, "M.S/left()": results.SKIPPED}
GOOD = {
    "id": "3.2-1", "qt": "peek", "seeds": ["S1"], "status": "present", "symbols": ["SslSocket.peek(_:)"], "tests": ["M.S/good()"],
    "backends": ["gnutls", "openssl"], "note": "",
}
COVERED = {"id": "t1.1-1", "scenario": "a", "status": "covered", "tests": ["M.S/good()"], "note": ""}


def complaints(*rows, counts=None, **options):
    rows = [table.Row("scenarios" if "scenario" in fields else "03-io-device", 1, fields) for fields in rows]
    if counts is None:
        counts = {}
        for row in rows:
            counts[row.file] = counts.get(row.file, 0) + 1
    return rules.check(rows, NAMES, TESTS, counts=counts, **options)


class Rules(unittest.TestCase):
    def assertFinds(self, text, *rows, **options):
        found = complaints(*rows, **options)
        self.assertEqual(len(found), 1, found)
        self.assertIn(text, found[0])

    def test_good_rows_pass(self):
        self.assertEqual(complaints(GOOD, COVERED), [])

    def test_open(self):
        self.assertFinds("is open", GOOD | {"status": "open"})
        self.assertFinds("is open", COVERED | {"status": "open"})

    def test_unknown_status(self):
        self.assertFinds("is no status", GOOD | {"status": "done"})
        self.assertFinds("is no status", COVERED | {"status": "present"})

    def test_no_symbol(self):
        self.assertFinds("names no symbol", GOOD | {"symbols": []})

    def test_symbol_that_does_not_exist(self):
        self.assertFinds("no public symbol SslSocket.peek", GOOD | {"symbols": ["SslSocket.peek"]})

    def test_no_test(self):
        self.assertFinds("names no test", GOOD | {"tests": []})
        self.assertFinds("names no test", COVERED | {"tests": []})

    def test_test_that_did_not_pass(self):
        self.assertFinds("did not run", GOOD | {"tests": ["M.S/gone()"]})
        self.assertFinds("failed", GOOD | {"tests": ["M.S/good()", "M.S/bad()"]})
        self.assertFinds("was skipped", COVERED | {"tests": ["M.S/left()"]})

    def test_tests_of_a_module_that_was_not_run(self):
        row = GOOD | {"tests": ["Peers.S/f()"]}
        self.assertFinds("did not run", row)
        self.assertEqual(complaints(row, not_run=["Peers"]), [])

    def test_absent_and_planned_need_a_note(self):
        unseeded = GOOD | {"seeds": [], "symbols": [], "tests": []}
        self.assertFinds("without a note", unseeded | {"status": "absent"})
        self.assertEqual(complaints(unseeded | {"status": "absent", "note": "why"}), [])
        self.assertFinds("without a note", GOOD | {"status": "replaced"})
        self.assertFinds("without a note", unseeded | {"id": "7-1", "status": "planned"})

    def test_what_the_documents_describe_must_be_there(self):
        self.assertFinds("describe it", GOOD | {"status": "absent", "note": "why"})
        self.assertFinds("describe it", GOOD | {"id": "7-1", "status": "planned", "note": "later"})

    def test_planned_only_in_later_sections(self):
        planned = GOOD | {"seeds": [], "status": "planned", "note": "later"}
        self.assertFinds("may not be planned", planned)
        for allowed in ("7-1", "9.2-3", "13-1", "19-1", "21-70", "22-3", "12-13", "6.8-1"):
            self.assertEqual(complaints(planned | {"id": allowed}), [])
        self.assertFinds("may not be planned", COVERED | {"status": "planned", "note": "later"})
        self.assertEqual(complaints(COVERED | {"id": "t7-1", "status": "planned", "note": "later"}), [])

    def test_ids_are_unique(self):
        self.assertEqual(len(complaints(GOOD, GOOD)), 2)

    def test_rows_do_not_vanish(self):
        self.assertFinds("has 1 rows instead of 2", GOOD, counts={"03-io-device": 2})
        self.assertFinds("has 0 rows instead of 1", GOOD, counts={"03-io-device": 1, "09-ssl-key": 1})
        self.assertFinds("has 1 rows instead of 0", GOOD, counts={})

    def test_one_backend_needs_a_note(self):
        self.assertFinds("every backend", GOOD | {"backends": ["gnutls"]})

    def test_summary_counts(self):
        rows = [table.Row("03-io-device", 1, GOOD), table.Row("03-io-device", 2, GOOD | {"status": "open"})]
        self.assertIn("1 of 2 proven, 1 open", rules.summary(rows)[0])


class Files(unittest.TestCase):
    def test_results(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "r-swift-testing.xml"
            file.write_text(
                "<testsuites><testsuite>"
                "<testcase classname='M.S' name='a()'/>"
                "<testcase classname='M.S.T' name='b(x:)'><failure message='no'/></testcase>"
                "<testcase classname='M' name='c()'><skipped>no</skipped></testcase>"
                "</testsuite></testsuites>")
            found = results.load(results.written(pathlib.Path(folder) / "r.xml"))
            self.assertEqual(found, {"M.S/a()": "passed", "M.S.T/b(x:)": "failed", "M/c()": "skipped"})

    def test_rows(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "03-x.jsonl").write_text(json.dumps(GOOD) + "\n")
            self.assertEqual([row.id for row in table.load(pathlib.Path(folder))], ["3.2-1"])
            (pathlib.Path(folder) / "03-x.jsonl").write_text("{")
            with self.assertRaises(SystemExit):
                table.load(pathlib.Path(folder))


if __name__ == "__main__":
    unittest.main()
