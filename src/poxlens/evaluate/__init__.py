"""Metrics, calibration, conformal sets, evaluation of a finished bundle, report."""
