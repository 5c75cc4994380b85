import { Type } from '@sinclair/typebox'
import { needs } from '../../lib/access/caller.js'
import { choiceGrammar, compileGrammar, selectionGrammar, wholeGrammar } from '../../lib/query/grammar.js'
import { KEY } from '../../lib/idempotency/key.js'
import { CSV_TYPE, NDJSON_TYPES, PATCH_TYPES, ROW_TYPES } from '../../lib/http/media-types.js'
import type { Repository } from '../../lib/resources/repository.js'
import { csvOf } from '../../lib/serialization/rows.js'
import { PROBLEM_TYPE } from '../../schemas/problem.js'
import { exampleSummary, ImportProblem, ImportSummary } from '../../schemas/import.js'
import { batchBody, BatchResults, exampleResults, MAX_OPERATIONS } from '../../schemas/operation.js'
import { LIST_LIMIT, type Fields, type Resource } from '../../schemas/resource.js'
import { answer, MALFORMED_QUERY, noContent, problemAnswers, UNKNOWN_PARAMETER } from '../../schemas/responses.js'
import { link } from '../page.js'

/** What is served where the repository can do it. */
interface Served {
  requireIfMatch: boolean
  /** Whether the method QUERY is known. */
  hasQuery: boolean
}

/** Each route of a resource: who may use it, and its schema, as validation, serialization and OpenAPI use it. */
export function resourceSchemas (resource: Resource, { id, capabilities = [] }: Repository, { requireIfMatch, hasQuery }: Served) {
  const grammar = capabilities.includes('query') && compileGrammar(resource.fields, resource.ids)
  const shownGrammar = selectionGrammar(resource.fields)
  const exported = capabilities.includes('stream') && wholeGrammar(resource.fields, resource.ids, exportChoices)
  const hasBulk = capabilities.includes('bulk')
  const hasConditions = capabilities.includes('conditions')
  const condition = hasConditions ? ifMatch : {}
  const failed: (412 | 428)[] = !hasConditions ? [] : requireIfMatch ? [412, 428] : [412]
  const { name, plural, title, pluralTitle, scopes, ids, create, update, patch, one, list, exampleShown } = resource
  const tags = [plural]
  const params = Type.Object({ id: id ?? idSchema(resource) })
  const location = { Location: { type: 'string', description: `The path of the new ${name}.` }, ...etag, ...hasBulk && replayed }

  const collectionPath = `/${plural}/`
  const path = `/${plural}/${exampleShown.id}`
  const ofBody = { 422: { detail: 'The body is not valid.', errors: [exampleFault(resource.fields)] } }
  const ofPath = { 422: { detail: 'The path is not valid.', errors: [{ pointer: '/id', detail: `must match pattern "${ids.pattern}"` }] } }
  const ofQuery = { 400: MALFORMED_QUERY, 422: UNKNOWN_PARAMETER }
  const missing = { 404: { detail: `${title} ${exampleShown.id} not found` } }

  const changed = {
    200: answer(`The ${name} as it is now.`, one, exampleShown, etag),
    204: noContent('The same without a body, where the client prefers that.'),
    ...problemAnswers(path, { ...missing, ...ofBody }, 400, 404, 409, ...failed, 413, 415, 422, 500, 503, 507)
  }

  return {
    create: {
      config: needs(scopes.write),
      schema: {
        tags,
        summary: `Create ${title}`,
        description: `Stores a new ${name}. The server assigns the id; an id in the body is ignored.`,
        ...withHeaders({ ...prefer, ...hasBulk && idempotencyKey }),
        body: create,
        response: {
          201: answer(`The ${name} as stored, with its new id.`, one, exampleShown, location),
          ...problemAnswers(collectionPath, ofBody, 400, 409, 413, 415, 422, 500, 503, 507)
        }
      }
    },
    list: {
      config: { ...needs(scopes.read), query: grammar, isLarge: true },
      schema: {
        tags,
        summary: `List ${pluralTitle}`,
        description: grammar ? pagesText(plural) + (hasQuery ? queryText : '') : `Answers the stored ${plural} without pages: at most ${LIST_LIMIT} of them.`,
        ...grammar && { querystring: grammar.schema },
        ...withHeaders(ifNoneMatch),
        response: {
          200: answer(`The ${plural}.`, list, { [plural]: [exampleShown] }, { ...grammar && link, ...etag }),
          304: noContent('The list is the one that the client has.'),
          ...problemAnswers(collectionPath, ofQuery, 400, 422, 500, 503)
        }
      }
    },
    batch: hasBulk && {
      config: { ...needs(scopes.write), query: choiceGrammar({ dryRun }) },
      schema: {
        tags,
        summary: `Change ${pluralTitle}`,
        description: `Makes up to ${MAX_OPERATIONS} changes, each of a different ${name}, in few round trips to the database. Each has a result of its own; the batch as a whole is not atomic.`,
        ...withHeaders(idempotencyKey),
        querystring: choiceGrammar({ dryRun }).schema,
        body: batchBody(resource),
        response: {
          207: answer('The outcome of each change, also where all failed.', BatchResults, exampleResults(resource), replayed),
          ...problemAnswers(`${collectionPath}batch`, { ...ofBody, 409: keyInUse }, 400, 409, 413, 415, 422, 500, 503, 507)
        }
      }
    },
    import: hasBulk && {
      config: { ...needs(scopes.write), query: choiceGrammar(importChoices), mediaTypes: ROW_TYPES, isStreamed: true },
      schema: {
        tags,
        summary: `Import ${pluralTitle}`,
        description: `Stores the ${plural} of a file, however many there are, while it arrives: one JSON object a line, or CSV with a header that names fields in any order. ` +
          'With an Idempotency-Key, the same file sent again after a broken connection goes on where it ended. With `Accept: application/x-ndjson` the answer tells each second how far it has come.',
        ...withHeaders(idempotencyKey),
        querystring: choiceGrammar(importChoices).schema,
        consumes: [...ROW_TYPES],
        body: { content: rowContent(resource) },
        response: {
          200: {
            description: 'What became of the rows.',
            content: {
              'application/json': { schema: ImportSummary, example: exampleSummary },
              [NDJSON_TYPES[0]]: { schema: text, example: `${JSON.stringify({ progress: { rows: 2, created: 1, failed: 1 } })}\n${JSON.stringify({ summary: exampleSummary })}\n` }
            },
            headers: replayed
          },
          ...problemAnswers(`${collectionPath}import`, { 409: keyInUse }, 400, 406, 409, 415, 500),
          ...importProblems(`${collectionPath}import`)
        }
      }
    },
    // as text: OpenAPI 3.1 can't describe the lines of a sequence
    export: exported && {
      config: { ...needs(scopes.read), query: exported, isLarge: true },
      schema: {
        tags,
        summary: `Export ${pluralTitle}`,
        description: `Answers all ${plural} that meet the filters, in the order of \`sort\`, however many there are: one JSON object a line, or CSV (RFC 4180). ` +
          'The rows come while they are read. Should that fail on the way, the connection is closed before the last chunk.',
        querystring: exported.schema,
        response: {
          200: {
            description: `The ${plural}.`,
            content: {
              ...Object.fromEntries(NDJSON_TYPES.map((type) => [type, { schema: text, example: `${JSON.stringify(exampleShown)}\n` }])),
              [CSV_TYPE]: { schema: text, example: csvOf(exampleShown) }
            },
            headers: { 'Content-Disposition': { type: 'string', description: 'A name for the file.' } }
          },
          ...problemAnswers(`${collectionPath}export`, ofQuery, 400, 406, 422, 500, 503)
        }
      }
    },
    // which OpenAPI 3.1 cannot say
    query: grammar && hasQuery && {
      grammar,
      config: needs(scopes.read),
      schema: { response: { 200: answer(`The ${plural}.`, list, { [plural]: [exampleShown] }), 304: noContent('The list is the one that the client has.') } }
    },
    show: {
      config: { ...needs(scopes.read), query: shownGrammar },
      schema: {
        tags,
        summary: `Show ${title}`,
        description: `Answers the ${name} with this id.`,
        params,
        querystring: shownGrammar.schema,
        ...withHeaders(ifNoneMatch),
        response: {
          200: answer(`The ${name}.`, one, exampleShown, etag),
          304: noContent(`The ${name} is the one that the client has.`),
          ...problemAnswers(path, { ...missing, ...ofPath, 400: MALFORMED_QUERY }, 400, 404, 422, 500, 503)
        }
      }
    },
    update: {
      config: needs(scopes.write),
      schema: {
        tags,
        summary: `Update ${title}`,
        description: 'Changes the given fields and leaves the others; null counts as not given. ' +
          `Without any field to change, the answer is the stored ${name}.`,
        params,
        ...withHeaders({ ...prefer, ...condition }),
        body: update,
        response: changed
      }
    },
    // a repository of the five first methods does not know null
    patch: hasConditions && {
      config: { ...needs(scopes.write), mediaTypes: PATCH_TYPES },
      schema: {
        tags,
        summary: `Patch ${title}`,
        description: 'Changes the given fields and leaves the others, by a JSON Merge Patch (RFC 7396): null removes a field, which only optional ones allow.',
        params,
        ...withHeaders({ ...prefer, ...condition }),
        consumes: [...PATCH_TYPES],
        body: patch,
        response: changed
      }
    },
    delete: {
      config: needs(scopes.write),
      schema: {
        tags,
        summary: `Delete ${title}`,
        description: `Removes the ${name} with this id. Success is 204, without a body.`,
        params,
        ...withHeaders(condition),
        response: {
          204: noContent(`The ${name} is gone.`),
          // a body is not wanted here, but one that is sent has to be JSON all the same
          ...problemAnswers(path, { ...missing, ...ofPath }, 400, 404, ...failed, 413, 415, 422, 500, 503, 507)
        }
      }
    }
  }
}

function idSchema ({ ids: { pattern, description }, exampleShown }: Resource) {
  return Type.String({ pattern, ...description !== undefined && { description }, examples: [exampleShown.id] })
}

const header = (name: string, description: string, pattern = {}) => ({ [name]: { type: 'string', description, ...pattern } })

const withHeaders = (properties: object) => ({ headers: { type: 'object', properties } })

const ifMatch = header('if-match', 'The ETag of the record as the client knows it: where it has changed since, the answer is 412 and nothing is changed (RFC 9110 section 13.1.1).')

const ifNoneMatch = header('if-none-match', 'The ETag that the client has: where it is still right, the answer is 304 without a body (RFC 9110 section 13.1.2).')

const prefer = header('prefer', '`return=minimal` for an answer without a body (RFC 7240 section 4.2).')

const idempotencyKey = header('idempotency-key', 'A name for this request, 1 to 255 visible ASCII characters: however often it is sent with it, it has one effect, and the same answer. A key is kept for a day, unless the server says otherwise.', { pattern: KEY.source })

const replayed = { 'Idempotent-Replayed': { type: 'string', description: '`true` where the answer was given before.' } }

const keyInUse = { detail: 'A request with this Idempotency-Key is still being worked on.' }

const dryRun = { values: ['true', 'false'], description: 'Whether to say what would happen, and to change nothing.' }

const importChoices = {
  dryRun,
  onError: { values: ['continue', 'stop'], description: 'What a row that is not valid does: the others are stored all the same, as without this parameter, or the import ends there.' }
}

const etag = { ETag: { type: 'string', description: 'What tells this state from others, for If-Match and If-None-Match (RFC 9110 section 8.8.3).' } }

const text = { type: 'string' }

const exportChoices = {
  format: { values: ['ndjson', 'csv'], description: 'The format of the rows; without it the header `Accept` decides.' },
  excel: { values: ['true', 'false'], description: 'Whether CSV is for a spreadsheet: with a byte order mark, and with an apostrophe before text that it would run as a formula.' }
}

/** Bodies that the route reads while they come, so they are not validated as a whole. */
function rowContent ({ example }: Resource) {
  const streamed = { type: 'string', 'x-streamed': true }
  return {
    ...Object.fromEntries(NDJSON_TYPES.map((type) => [type, { schema: { ...streamed, examples: [`${JSON.stringify(example)}\n`] } }])),
    [CSV_TYPE]: { schema: { ...streamed, examples: [csvOf(example)] } }
  }
}

/** Why an import ended before its file did, with what became of it until then. */
function importProblems (instance: string) {
  const problems = problemAnswers(instance, { 422: { detail: 'The import ended at line 3.' } }, 422, 503, 507)
  return Object.fromEntries(Object.entries(problems).map(([status, { content, ...more }]) =>
    [status, { ...more, content: { [PROBLEM_TYPE]: { ...content[PROBLEM_TYPE], schema: ImportProblem } } }]))
}

function pagesText (plural: string): string {
  return `Answers a page of the ${plural}: all of them, or those that meet the filters, in the order of \`sort\`. Where there is more, \`next\` and the header Link lead on; ` +
    'whoever follows them sees each record once that is there all the while, whatever else changes.'
}

const queryText = ' QUERY on the same path (RFC 10008) takes the same as JSON, `{ "filter": { … }, "sort": … }`, with `or` of filters and longer lists.'

/** A fault that a body of the resource can have: of the first field with a maximum, or else of the first one. */
function exampleFault (fields: Fields) {
  const [[first, schema] = ['', Type.String()]] = Object.entries(fields)
  const [bounded] = Object.entries(fields).filter(([, { maximum }]) => maximum !== undefined)
  if (bounded) return { pointer: `/${bounded[0]}`, detail: `must be <= ${bounded[1].maximum}` }
  return { pointer: `/${first}`, detail: `must be ${[schema.type].flat().join(' or ')}` }
}
