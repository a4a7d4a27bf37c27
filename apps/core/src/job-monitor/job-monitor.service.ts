import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Problem, type ActionRequest, type JobQueue, type Worker, type WorkerPool } from '@haven/api';
import { Database } from '@haven/database';
import { Executions, QUEUES, TaskQueues, WorkerPools, type TaskPlace } from '@haven/execution';
import { Broadcasts } from '@haven/messages';
import { recordAudit } from '../audit/record-audit.js';
import { PLAIN_TEXT, type TextAnswer } from '../http/response.interceptor.js';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const NO_JOB = 'there is no such job';
/** In place of an id or a kind: every one of them. */
const ALL = 'all';

/** What the job service does and what waits for it, and the handles to stop and hold it. */
@Injectable()
export class JobMonitorService {
  constructor(
    private readonly database: Database,
    private readonly executions: Executions,
    private readonly queues: TaskQueues,
    private readonly pools: WorkerPools,
    private readonly broadcasts: Broadcasts,
  ) {}

  async listPools(): Promise<WorkerPool[]> {
    const pools = await this.pools.list();
    return pools.map(({ id, host, pid, concurrency, startedAt, heartbeatAt }) => ({
      pid, worker_pool_id: id, start_at: startedAt.toISOString(), heartbeat_at: heartbeatAt.toISOString(), concurrency, host,
    }));
  }

  async listWorkers(pool: string): Promise<Worker[]> {
    if (pool !== ALL && !(UUID.test(pool) && (await this.pools.list()).some(({ id }) => id === pool.toLowerCase()))) throw new Problem('NOT_FOUND', 'there is no such worker pool');
    const workers = await this.pools.workers(pool === ALL ? undefined : pool);
    return workers.map(({ poolId, taskId, jobId, vendorType, startedAt, heartbeatAt }) => ({
      id: String(taskId), pool_id: poolId, job_name: vendorType, job_id: jobId, start_at: startedAt?.toISOString() ?? null, check_in: '', checkin_at: heartbeatAt?.toISOString() ?? null,
    }));
  }

  /** Stops the run that the job is a part of; with `all`, every run of which a job is being done. */
  async stopJob(caller: Caller, jobId: string): Promise<void> {
    const places = jobId === ALL ? await this.executions.running() : [await this.#place(jobId)];
    await this.database.transaction(async (transaction) => {
      for (const { owner, executionId } of places) await this.executions.stopIn(transaction, owner, executionId);
      const what = jobId === ALL ? `all ${places.length} running jobs` : `job ${jobId}`;
      await recordAudit(transaction, caller, { operation: 'stop', resourceType: 'job', resource: jobId, description: `stop ${what}` });
    });
    for (const { executionId } of places) this.executions.announceStop(executionId);
  }

  async log(jobId: string): Promise<TextAnswer> {
    const { owner, executionId, taskId } = await this.#place(jobId);
    const text = await this.executions.log(owner, executionId, taskId);
    if (text === undefined) throw new Problem('NOT_FOUND', NO_JOB);
    return { type: PLAIN_TEXT, text };
  }

  async listQueues(): Promise<JobQueue[]> {
    return (await this.queues.list()).map(({ type, waiting, latency, paused }) => ({ job_type: type, count: waiting, latency, paused }));
  }

  async act(caller: Caller, jobType: string, { action }: ActionRequest): Promise<void> {
    const all = jobType.toLowerCase() === ALL;
    const types = all ? QUEUES : QUEUES.filter((type) => type === jobType);
    if (types.length === 0) throw new Problem('NOT_FOUND', `there is no such queue; use ${ALL} or one of ${QUEUES.join(', ')}`);
    if (action === 'stop') await this.queues.dropWaiting(types);
    await this.database.transaction(async (transaction) => {
      if (action === 'pause') await this.queues.pauseIn(transaction, types);
      if (action === 'resume') await this.queues.resumeIn(transaction, types);
      await recordAudit(transaction, caller, { operation: 'update', resourceType: 'job_queue', resource: all ? ALL : jobType, description: `${action} the job queues ${types.join(', ')}` });
    });
    if (action === 'resume') this.broadcasts.publish('queues-resumed', {});
  }

  async #place(jobId: string): Promise<TaskPlace> {
    const place = UUID.test(jobId) ? await this.executions.place(jobId) : undefined;
    if (place === undefined) throw new Problem('NOT_FOUND', NO_JOB);
    return place;
  }
}
