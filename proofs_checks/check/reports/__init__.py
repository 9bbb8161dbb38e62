"""The reports of ``tangency check``: what was found, for a terminal, machines, CI servers, pull requests and browsers."""
