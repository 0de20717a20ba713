"""What a job tells a tracking server.

tracker is the protocol, session begins and ends it, clerk is the job's end of it, recording the process at the other end, which alone imports
MLflow; figures says what becomes of results, logged_model and pyfunc are the model there.
"""
