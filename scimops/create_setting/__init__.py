"""The step create_setting: look at the platform, create the setting from its document, compare the two afterwards.

The rooms: `body` what the platform is asked for, and differences; `look` and `notices` what to know first; `create`
what is done; `check` document and platform side by side; `record` what is kept beside the document.
"""
