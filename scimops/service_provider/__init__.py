"""The embedded platform: a SCIM 2.0 service provider that places people by the same rule as the preview.

The rooms, from the wire inwards: `app` turns HTTP into requests and authenticates; `tolerance` puts what identity
providers really send into the form of the RFCs; `protocol` holds scim2-server's steps with the overrides that large
groups need; `storage` reads and writes rows, `filters` turns filters into SQL; `placement` calls the grouping rule
inside the storage's transaction; `provisioning_log` writes what happened; `management` speaks the platform's API.
"""
