"""What assets are given: the project they run for, chosen by the environment."""

import dagster as dg

from pipelines.project import Project
from pipelines.rights import keep_private


class ProjectResource(dg.ConfigurableResource[Project]):
    """The project of the environment, read anew whenever its YAML was edited."""

    def project(self) -> Project:
        """The project as the environment and the files stand now."""
        project = Project.of()
        keep_private(project.home)
        return project
