"""The rules, one per file; found by policies.rule.discover."""
