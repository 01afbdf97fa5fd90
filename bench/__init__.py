"""The benchmarks. ``make bench`` runs all of them, ``make bench BENCH=name`` one."""
