"""The bill of materials of a commit: what a release is made of, and under which licences."""
