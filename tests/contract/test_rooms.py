"""The one law of the rooms that import-linter has no word for."""

import sys

import grimp


def test_the_vocabulary_imports_nothing_beyond_the_standard_library() -> None:
    graph = grimp.build_graph("darkroom_contracts", include_external_packages=True)
    foreign = {module for module in graph.modules if graph.is_module_squashed(module)}
    assert foreign <= sys.stdlib_module_names
