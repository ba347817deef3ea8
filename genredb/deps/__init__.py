"""Installs the packages of a project: what packages.yml asks for, into dbt_packages/."""
