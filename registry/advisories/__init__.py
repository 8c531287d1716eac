"""Security advisories of packages: one dated, read-only file built from OSV data, and matching."""
