"""The clinic's side: referrals from phones, the clinicians' worklist, notices, monitoring, and their storage."""
