"""The trace of a bug names modules and lines."""

from tocsin_ocf import exit_codes, unexpected


def test_a_trace_names_file_line_and_function_of_every_step() -> None:
    """And the error, last."""
    try:
        exit_codes.exit_reason(None)  # type: ignore[arg-type]
    except AttributeError as error:
        lines = unexpected.trace(error).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert (
        lines[1].endswith(" in test_a_trace_names_file_line_and_function_of_every_step")
        and "test_unexpected.py:" in lines[1]
    )
    assert lines[2].endswith(" in exit_reason") and "exit_codes.py:" in lines[2]
    assert lines[-1] == "AttributeError: 'NoneType' object has no attribute 'split'"
