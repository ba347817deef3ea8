"""Benchmarks, each compared with another way of doing the same work; none of them is a test."""
