export {
  Accessory, Artifact, ArtifactCopyQuery, ArtifactListQuery, ArtifactQuery, BuildHistory, BuildStep, ChartDependency, type ModelFile, NewTag, ProjectArtifactListQuery, Reference, Tag, TagListQuery,
} from './artifact.js';
export { CVEAllowlist, CVEAllowlistReq } from './allowlist.js';
export { AuditLog, AuditLogExt, AuditLogEventType, auditEventType, type AuditSwitches, isAudited } from './audit.js';
export { AuthProxyPingReq } from './auth-proxy.js';
export {
  AUTH_MODES, type Configuration, configurationOf, ConfigurationsReq, ConfigurationsResponse, MOST_STORAGE, SETTING_NAMES, settingOf, type SecretSetting, type SettingName, SETTINGS,
  UNLIMITED_STORAGE,
} from './configuration.js';
export { BinEntry, BinEntryId, BinListQuery, BinRestored } from './bin.js';
export { Errors, errorsBody } from './errors.js';
export { Flag, Id, LongId, NEVER, text, Timestamp } from './fields.js';
export { UserGroup, UserGroupListQuery, UserGroupReq, UserGroupSearchItem, UserGroupSearchQuery } from './group.js';
export { Icon } from './icon.js';
export { ImmutableRule, ImmutableRuleUpdate } from './immutability.js';
export { ActionRequest, JobQueue, Worker, WorkerPool } from './job-monitor.js';
export { Label, LabelListQuery, LabelRef, LabelReq } from './label.js';
export { ExecHistory, GCHistory, MaintenanceScheduleReq, Schedule, ScheduleObj } from './maintenance.js';
export { LdapConf, LdapFailedImportUser, LdapGroupSearchQuery, LdapImportUsers, LdapPingResult, LdapUser, LdapUserSearchQuery } from './ldap.js';
export { MemberListQuery, ProjectMember, ProjectMemberEntity, RoleRequest } from './member.js';
export { OIDCCallbackQuery, OIDCLoginQuery, OIDCOnboardReq, OIDCPingReq, RedirectLocation } from './oidc.js';
export { ListQuery, listParameters, MAX_PAGE_SIZE, type Page, pageLinks, pageParameters, PageQuery } from './paging.js';
export { Problem, PROBLEMS, problemCodeOf, type ProblemCode, type ProblemOptions } from './problems.js';
export { Metadata, MetadataReq, Project, ProjectDeletable, ProjectHeadQuery, ProjectListQuery, ProjectMetadata, ProjectReq, ProjectSummary } from './project.js';
export { parseQuery, parseSort, type QueryMatch, type QueryTerm, type QueryValue, type SortTerm } from './query.js';
export { Quota, QuotaListQuery, QuotaUpdateReq } from './quota.js';
export {
  Reconciliation, ReconciliationFinding, ReconciliationFindingQuery, ReconciliationReq, ReconciliationSchedule, ReconciliationScheduleReq,
} from './reconciliation.js';
export {
  Registry, RegistryId, RegistryInfo, RegistryListQuery, RegistryPing, RegistryProviderInfos, RegistryProviderTypes, RegistryReq, RegistryUpdate,
} from './registry.js';
export { Repository, RepositoryReq } from './repository.js';
export { RepositoryTag, RepositoryTagListQuery, TagAt, TagAtQuery, TagEvent, TagEventListQuery, TagRollback } from './repository-tag.js';
export {
  RetentionExecution, RetentionExecutionAction, RetentionExecutionReq, RetentionExecutionTask, RetentionMetadata, RetentionPolicy, RetentionRule, RetentionRuleTrigger,
} from './retention.js';
export { Robot, RobotCreate, RobotCreated, RobotCreateV1, RobotPermission, RobotSec, RobotUpdate } from './robot.js';
export { Stats } from './scan-all.js';
export { ScanDataExportExecution, ScanDataExportExecutionList, ScanDataExportJob, ScanDataExportRequest } from './scan-data-export.js';
export { NativeReportSummary, SbomOverview, Scanner, VulnerabilitySummary } from './scan-overview.js';
export { ScheduleTask, SchedulerStatus } from './schedule.js';
export { Search, SearchQuery, SearchRepository, Statistic } from './search.js';
export { OwnSession, SessionId } from './session.js';
export { ApiVersion, GeneralInfo, OverallHealthStatus, SystemInfo } from './system.js';
export { SystemWebhookPolicy, SystemWebhookPolicyReq } from './system-webhook.js';
export { REGISTRY_SERVICE, TokenAnswer, TokenForm, TokenQuery } from './token.js';
export { OIDCCliSecretReq, PasswordReq, Permission, PermissionQuery, Permissions, UserCreationReq, UserProfile, UserResp, UserSearchQuery, UserSearchRespItem, UserSysAdminFlag } from './user.js';
export {
  SupportedWebhookEventTypes, WebhookExecution, WebhookJob, WebhookJobQuery, WebhookLastTrigger, WebhookLastTriggers, WebhookPolicy, WebhookPolicyReq, WebhookReplayed, WebhookReplayReq,
  WebhookTargetObject, WebhookTask,
} from './webhook.js';
export { PlatformEvent, WebhookDelivery } from './webhook-delivery.js';
