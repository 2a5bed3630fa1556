"""The second system of the specification (Yue 2024, Mpox-AISM): whole networks trained on eight classes, and judged."""
