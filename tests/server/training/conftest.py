"""What is trained is trained on both databases, unless a test names its own."""

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    named = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "url" in metafunc.fixturenames and not any("url" in names for names in named):
        metafunc.parametrize("url", ["sqlite", "postgres"], indirect=True)
