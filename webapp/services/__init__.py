"""What Pairbook does, one plain function a use case: session first, things next, the actor by keyword.

Services check, change, record and flush; the boundary (a request, a job, a command) commits.
"""
