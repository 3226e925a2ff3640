"""Every figure of the project, a module for each exercise: functions take ``ax``, return it."""
