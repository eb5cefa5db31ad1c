"""The evaluation harness: ``zeming eval`` records predictions first and scores them afterwards."""
