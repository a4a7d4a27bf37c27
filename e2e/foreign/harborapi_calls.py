"""The usual calls of harborapi, a Python client of Harbor's API, against the address and account in the environment.

Every answer is parsed into the client's own models. Prints a line per call that worked; an unexpected answer ends it.
"""

import asyncio
import os

from harborapi import HarborAsyncClient
from harborapi.exceptions import Conflict, NotFound, StatusError, Unauthorized
from harborapi.models import (
    Access, Configurations, CVEAllowlist, CVEAllowlistItem, ImmutableRule, ImmutableSelector, Label, ProjectMetadata, ProjectReq, QuotaUpdateReq,
    Repository, ResourceList, RetentionPolicy, RetentionPolicyScope, RetentionRule, RetentionRuleTrigger, RetentionSelector, RobotCreate, RobotPermission,
    Tag, UserCreationReq, UserGroup, UserProfile,
)

URL = os.environ["HAVEN_URL"]
USER = os.environ["HAVEN_USER"]
PASSWORD = os.environ["HAVEN_PASSWORD"]
PROJECT = os.environ["HAVEN_PROJECT"]  # it holds the repository "deep/app" with the tags 1 and 2
REPOSITORY = "deep/app"


def done(what):
    print(f"ok {what}", flush=True)


def created_id(location):
    return int(location.rstrip("/").rsplit("/", 1)[1])


def client(user=USER, password=PASSWORD):
    return HarborAsyncClient(url=f"{URL}/api/v2.0", username=user, secret=password)


async def refused(error, call):
    try:
        await call
    except error:
        return
    raise AssertionError(f"this should have been refused with {error.__name__}")


async def system(harbor):
    assert await harbor.ping() == "Pong"
    assert (await harbor.health_check()).status == "healthy"
    info = await harbor.get_system_info()
    assert info.auth_mode == "db_auth" and info.harbor_version
    assert (await harbor.get_system_volume_info()).storage[0].total > 0
    assert (await harbor.get_current_user()).username == USER
    assert len((await harbor.get_permissions()).project) > 10
    assert len(await harbor.get_current_user_permissions(scope="/system", relative=True)) > 10
    await refused(Unauthorized, client(USER, "Wrong-password-1").get_current_user())
    done("system")


async def configuration(harbor):
    config = await harbor.get_config()
    assert config.token_expiration.value == 30 and config.robot_name_prefix.value == "robot$"
    await harbor.update_config(Configurations(banner_message="hello", token_expiration=20))
    config = await harbor.get_config()
    assert (config.banner_message.value, config.token_expiration.value) == ("hello", 20)
    await harbor.update_config(Configurations(banner_message="", token_expiration=30))
    done("configuration")


async def projects(harbor):
    location = await harbor.create_project(ProjectReq(project_name="python-client", metadata=ProjectMetadata(public="false")))
    assert location == "/api/v2.0/projects/python-client"
    await refused(Conflict, harbor.create_project(ProjectReq(project_name="python-client")))
    project = await harbor.get_project("python-client")
    assert (project.name, project.metadata.public) == ("python-client", "false")
    await harbor.update_project(project.project_id, ProjectReq(metadata=ProjectMetadata(public="true")))
    assert (await harbor.get_project(project.project_id)).metadata.public == "true"
    assert "python-client" in [one.name for one in await harbor.get_projects(name="python", page_size=1)]
    await harbor.set_project_metadata("python-client", ProjectMetadata(auto_scan="true"))
    assert await harbor.get_project_metadata_entry("python-client", "auto_scan") == {"auto_scan": "true"}
    await harbor.update_project_metadata_entry("python-client", "auto_scan", {"auto_scan": "false"})
    await harbor.delete_project_metadata_entry("python-client", "auto_scan")
    assert (await harbor.get_project_summary("python-client")).repo_count == 0
    assert (await harbor.get_project_deletable("python-client")).deletable is True
    assert await harbor.project_exists("python-client") is True
    done("projects")
    return project.project_id


async def users_and_members(harbor, project_id):
    location = await harbor.create_user(UserCreationReq(username="pythonista", email="pythonista@example.com", realname="P", password="Correct-horse-1", comment=""))
    user_id = created_id(location)
    await harbor.update_user(user_id, UserProfile(realname="Py Thonista", email="pythonista@example.com", comment="a test"))
    assert (await harbor.get_user(user_id)).realname == "Py Thonista"
    assert (await harbor.get_user_by_username("pythonista")).user_id == user_id
    assert [one.username for one in await harbor.search_users_by_username("pythonista")] == ["pythonista"]
    assert "pythonista" in [one.username for one in await harbor.get_users(page_size=1)]
    member_id = created_id(await harbor.add_project_member_user(project_id, "pythonista", 2))
    assert (await harbor.get_project_member(project_id, member_id)).role_name == "developer"
    await harbor.update_project_member_role(project_id, member_id, 4)
    assert {one.entity_name: one.role_id for one in await harbor.get_project_members(project_id)}["pythonista"] == 4
    await harbor.remove_project_member(project_id, member_id)
    await harbor.set_user_admin(user_id, True)
    await harbor.set_user_admin(user_id, False)
    await harbor.set_user_password(user_id, "Correct-horse-2")
    assert (await client("pythonista", "Correct-horse-2").get_current_user()).username == "pythonista"
    await harbor.delete_user(user_id)
    group_id = created_id(await harbor.create_usergroup(UserGroup(group_name="pythonistas", group_type=3)))
    await harbor.update_usergroup(group_id, UserGroup(group_name="pythonists", group_type=3))
    assert (await harbor.get_usergroup(group_id)).group_name == "pythonists"
    await harbor.delete_usergroup(group_id)
    done("users and members")


async def robots(harbor):
    access = [Access(resource="repository", action="pull"), Access(resource="repository", action="push")]
    robot = await harbor.create_robot(RobotCreate(
        name="ci", level="project", duration=30, description="", disable=False,
        permissions=[RobotPermission(kind="project", namespace="python-client", access=access)]))
    assert robot.name == "robot$python-client+ci" and len(robot.secret) == 32
    stored = await harbor.get_robot(robot.id)
    assert {(one.resource, one.action) for one in stored.permissions[0].access} == {("repository", "pull"), ("repository", "push")}
    stored.description = "builds"
    await harbor.update_robot(robot.id, stored)
    assert (await harbor.get_robot(robot.id)).description == "builds"
    assert len((await harbor.refresh_robot_secret(robot.id, "")).secret) == 32
    await harbor.delete_robot(robot.id)
    await refused(NotFound, harbor.get_robot(robot.id))
    system_robot = await harbor.create_robot(RobotCreate(
        name="lister", level="system", duration=-1, disable=False,
        permissions=[RobotPermission(kind="system", namespace="/", access=[Access(resource="project", action="list")])]))
    assert "robot$lister" in [one.name for one in await harbor.get_robots()]
    await harbor.delete_robot(system_robot.id)
    done("robots")


async def artifacts(harbor):
    names = [one.name for one in await harbor.get_repositories(PROJECT)]
    assert names == [f"{PROJECT}/{REPOSITORY}"]
    await harbor.update_repository(PROJECT, REPOSITORY, Repository(description="an application"))
    repository = await harbor.get_repository(PROJECT, REPOSITORY)
    assert (repository.description, repository.artifact_count) == ("an application", 2)
    listed = await harbor.get_artifacts(PROJECT, REPOSITORY, with_tag=True, with_label=True, page_size=1)
    assert sorted(tag.name for artifact in listed for tag in artifact.tags) == ["1", "2"]
    artifact = await harbor.get_artifact(PROJECT, REPOSITORY, "1", with_label=True)
    assert artifact.type == "IMAGE" and artifact.size > 0
    assert (await harbor.get_project_artifacts(PROJECT))[0].repository_name == f"{PROJECT}/{REPOSITORY}"
    assert len(await harbor.get_artifact_build_history(PROJECT, REPOSITORY, "1")) >= 0
    await harbor.create_artifact_tag(PROJECT, REPOSITORY, "1", Tag(name="stable"))
    await refused(Conflict, harbor.create_artifact_tag(PROJECT, REPOSITORY, "1", Tag(name="stable")))
    assert sorted(tag.name for tag in await harbor.get_artifact_tags(PROJECT, REPOSITORY, "1")) == ["1", "stable"]
    await harbor.delete_artifact_tag(PROJECT, REPOSITORY, "1", "stable")
    assert await harbor.get_artifact_accessories(PROJECT, REPOSITORY, "1") == []
    location = await harbor.copy_artifact("python-client", "copied", f"{PROJECT}/{REPOSITORY}:1")
    assert "/repositories/copied/artifacts/" in location
    assert (await harbor.get_artifact("python-client", "copied", "1")).digest == artifact.digest
    if artifact.icon:
        assert (await harbor.get_icon(artifact.icon)).content
    done("artifacts")


async def labels(harbor, project_id):
    label_id = created_id(await harbor.create_label(Label(name="release", color="#00aa00", scope="p", project_id=project_id, description="")))
    await harbor.update_label(label_id, Label(id=label_id, name="released", color="#00aa00", scope="p", project_id=project_id))
    label = await harbor.get_label(label_id)
    assert label.name == "released"
    await harbor.add_artifact_label("python-client", "copied", "1", label)
    labelled = await harbor.get_artifacts("python-client", "copied", query=f"labels=({label_id})", with_label=True)
    assert [one.name for one in labelled[0].labels] == ["released"]
    await harbor.delete_artifact_label("python-client", "copied", "1", label_id)
    assert [one.name for one in await harbor.get_labels(scope="p", project_id=project_id)] == ["released"]
    await harbor.delete_label(label_id)
    done("labels")


async def rules(harbor, project_id):
    selector = ImmutableSelector(kind="doublestar", decoration="matches", pattern="v*")
    everywhere = ImmutableSelector(kind="doublestar", decoration="repoMatches", pattern="**")
    rule = ImmutableRule(action="immutable", template="immutable_template", tag_selectors=[selector], scope_selectors={"repository": [everywhere]})
    await harbor.create_project_immutable_tag_rule(project_id, rule)
    rule_id = (await harbor.get_project_immutable_tag_rules(project_id))[0].id
    await harbor.enable_project_immutable_tagrule(project_id, rule_id, False)
    assert (await harbor.get_project_immutable_tag_rules(project_id))[0].disabled is True
    await harbor.delete_project_immutable_tag_rule(project_id, rule_id)

    assert len((await harbor.get_retention_metadata()).templates) == 5
    policy = RetentionPolicy(
        algorithm="or", scope=RetentionPolicyScope(level="project", ref=project_id),
        trigger=RetentionRuleTrigger(kind="Schedule", settings={"cron": ""}, references={}),
        rules=[RetentionRule(
            disabled=False, action="retain", template="always", params={},
            tag_selectors=[RetentionSelector(kind="doublestar", decoration="matches", pattern="**")],
            scope_selectors={"repository": [RetentionSelector(kind="doublestar", decoration="repoMatches", pattern="**")]})])
    await harbor.create_retention_policy(policy)
    retention_id = await harbor.get_project_retention_id(project_id)
    assert (await harbor.get_retention_policy(retention_id)).rules[0].template == "always"
    await harbor.start_retention_execution(retention_id, dry_run=True)
    execution = await finished_retention(harbor, retention_id)
    assert (execution.status, execution.dry_run) == ("Success", True)
    task = (await harbor.get_retention_tasks(retention_id, execution.id))[0]
    assert (task.total, task.retained) == (1, 1)
    assert "RETAIN" in await harbor.get_retention_execution_task_log(retention_id, execution.id, task.id)
    await harbor.delete_retention_policy(retention_id)
    done("rules")


async def finished_retention(harbor, retention_id):
    for _ in range(150):
        execution = (await harbor.get_retention_executions(retention_id))[0]
        if execution.status not in ("Pending", "Scheduled", "Running"):
            return execution
        await asyncio.sleep(0.2)
    raise AssertionError("the retention did not end within 30 seconds")


async def quotas_and_lists(harbor, project_id):
    quota = (await harbor.get_quotas(reference="project", reference_id=str(project_id)))[0]
    assert quota.used.root["storage"] > 0
    await harbor.update_quota(quota.id, QuotaUpdateReq(hard=ResourceList(root={"storage": 10 * 1024**3})))
    assert (await harbor.get_quota(quota.id)).hard.root["storage"] == 10 * 1024**3
    await harbor.update_cve_allowlist(CVEAllowlist(items=[CVEAllowlistItem(cve_id="CVE-2026-0001")]))
    assert [one.cve_id for one in (await harbor.get_cve_allowlist()).items] == ["CVE-2026-0001"]
    await harbor.update_cve_allowlist(CVEAllowlist(items=[]))
    found = await harbor.search("python-client")
    assert [one.name for one in found.project] == ["python-client"]
    assert [one.repository_name for one in found.repository] == ["python-client/copied"]
    assert (await harbor.get_statistics()).total_project_count >= 2
    assert len(await harbor.get_audit_logs(page_size=5, limit=10)) >= 0
    await harbor.get_project_logs("python-client", limit=10)
    done("quotas and lists")


async def clean_up(harbor):
    await harbor.delete_artifact("python-client", "copied", "1")
    await harbor.delete_repository("python-client", "copied")
    await harbor.delete_project("python-client")
    await refused(StatusError, harbor.get_project("python-client"))
    done("clean up")


async def main():
    harbor = client()
    await system(harbor)
    await configuration(harbor)
    project_id = await projects(harbor)
    await users_and_members(harbor, project_id)
    await robots(harbor)
    await artifacts(harbor)
    await labels(harbor, project_id)
    await rules(harbor, project_id)
    await quotas_and_lists(harbor, project_id)
    await clean_up(harbor)
    print("all calls worked", flush=True)


asyncio.run(main())
