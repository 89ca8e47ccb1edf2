from kpi.printing import printable


def test_what_cannot_be_printed_is_written_out():
    assert printable("Köln (Süd) €") == "Köln (Süd) €"
    assert printable("a\r\n=1\x1b[31m\u202eb") == "a\\r\\n=1\\x1b[31m\\u202eb"
