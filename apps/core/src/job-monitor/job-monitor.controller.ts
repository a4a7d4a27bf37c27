import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { ActionRequest, JobQueue, Worker, WorkerPool } from '@haven/api';
import { z } from 'zod';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { systemPermission } from '../authorization/requirement.js';
import { WorksWhileReadOnly } from '../configuration/read-only.guard.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsText, type TextAnswer } from '../http/response.interceptor.js';
import { JobMonitorService } from './job-monitor.service.js';

@Controller('api/v2.0/jobservice')
export class JobMonitorController {
  constructor(private readonly monitor: JobMonitorService) {}

  @Get('pools')
  @Operation({ id: 'getWorkerPools', tag: 'jobservice', summary: 'List the processes that do jobs' })
  @Requires(systemPermission('jobservice-monitor', 'list'))
  @Responds(z.array(WorkerPool))
  pools(): Promise<WorkerPool[]> {
    return this.monitor.listPools();
  }

  @Get('pools/:pool_id/workers')
  @Operation({ id: 'getWorkers', tag: 'jobservice', summary: 'List the jobs that are being done by a process, or by all of them', refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('jobservice-monitor', 'list'))
  @Responds(z.array(Worker))
  workers(@Param('pool_id') pool: string): Promise<Worker[]> {
    return this.monitor.listWorkers(pool);
  }

  @Put('jobs/:job_id')
  @Operation({ id: 'stopRunningJob', tag: 'jobservice', summary: 'Stop the run that a job is a part of, or all that run', refuses: ['NOT_FOUND'], audits: { operation: 'stop', resourceType: 'job' } })
  @Requires(systemPermission('jobservice-monitor', 'stop'))
  @WorksWhileReadOnly()
  @RespondsNothing()
  stop(@CallerParam() caller: Caller, @Param('job_id') jobId: string): Promise<void> {
    return this.monitor.stopJob(caller, jobId);
  }

  @Get('jobs/:job_id/log')
  @Operation({ id: 'actionGetJobLog', tag: 'jobservice', summary: 'What a job wrote down', refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('jobservice-monitor', 'list'))
  @RespondsText()
  log(@Param('job_id') jobId: string): Promise<TextAnswer> {
    return this.monitor.log(jobId);
  }

  @Get('queues')
  @Operation({ id: 'listJobQueues', tag: 'jobservice', summary: 'List what waits, by kind', refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('jobservice-monitor', 'list'))
  @Responds(z.array(JobQueue))
  queues(): Promise<JobQueue[]> {
    return this.monitor.listQueues();
  }

  @Put('queues/:job_type')
  @Operation({ id: 'actionPendingJobs', tag: 'jobservice', summary: 'Drop what waits, hold it, or let it go on', refuses: ['NOT_FOUND'], audits: { operation: 'update', resourceType: 'job_queue' } })
  @Requires(systemPermission('jobservice-monitor', 'stop'))
  @WorksWhileReadOnly()
  @RespondsNothing()
  act(@CallerParam() caller: Caller, @Param('job_type') jobType: string, @Body({ schema: ActionRequest }) request: ActionRequest): Promise<void> {
    return this.monitor.act(caller, jobType, request);
  }
}
