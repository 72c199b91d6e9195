"""Why a release is not live, and what troubles its users: pure functions of what was seen."""
