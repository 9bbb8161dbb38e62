"""The reports of ``tangency check``: for terminals, machines, CI servers, pull requests and browsers."""
