"""The tests, whose shared helpers say as much of a failed assertion as the tests themselves."""

import pytest

pytest.register_assert_rewrite("tests.printed_pages")
