"""Our own tabled engine: terms as numbers, rules, steps, relations, arithmetic."""
