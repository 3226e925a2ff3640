"""What ``benchmarks/identify.py`` measures: recognition, false alarms, probabilities, peers."""
