import { Type, type TString } from '@sinclair/typebox'
import { needs } from '../../lib/access/caller.js'
import { ObjectIdHex } from '../../schemas/common.js'
import { EXAMPLE_ID, LIST_LIMIT, type Fields, type Resource } from '../../schemas/resource.js'
import { answer, noContent, problemAnswers } from '../../schemas/responses.js'

/**
 * Each route of a resource: who may use it, and its schema, as validation, serialization and OpenAPI use it.
 * @param id what an id is
 */
export function resourceSchemas<F extends Fields> (resource: Resource<F>, id: TString = ObjectIdHex) {
  const { name, plural, title, pluralTitle, scopes, create, update, one, list, exampleShown } = resource
  const tags = [plural]
  const params = Type.Object({ id })
  const location = { Location: { type: 'string', description: `The path of the new ${name}.` } }

  const collectionPath = `/${plural}/`
  const path = `/${plural}/${EXAMPLE_ID}`
  const ofBody = { 422: { detail: 'The body is not valid.', errors: [exampleFault(resource.fields)] } }
  const ofPath = { 422: { detail: 'The path is not valid.', errors: [{ pointer: '/id', detail: `must match pattern "${ObjectIdHex.pattern}"` }] } }
  const missing = { 404: { detail: `${title} ${EXAMPLE_ID} not found` } }

  return {
    create: {
      config: needs(scopes.write),
      schema: {
        tags,
        summary: `Create ${title}`,
        description: `Stores a new ${name}. The server assigns the id; an id in the body is ignored.`,
        body: create,
        response: {
          201: answer(`The ${name} as stored, with its new id.`, one, exampleShown, location),
          ...problemAnswers(collectionPath, ofBody, 400, 409, 413, 415, 422, 500, 503, 507)
        }
      }
    },
    list: {
      config: needs(scopes.read),
      schema: {
        tags,
        summary: `List ${pluralTitle}`,
        description: `Answers the stored ${plural} without pages: at most ${LIST_LIMIT} of them.`,
        response: {
          200: answer(`The ${plural}.`, list, { [plural]: [exampleShown] }),
          ...problemAnswers(collectionPath, {}, 500, 503)
        }
      }
    },
    show: {
      config: needs(scopes.read),
      schema: {
        tags,
        summary: `Show ${title}`,
        description: `Answers the ${name} with this id.`,
        params,
        response: {
          200: answer(`The ${name}.`, one, exampleShown),
          ...problemAnswers(path, { ...missing, ...ofPath }, 404, 422, 500, 503)
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
        body: update,
        response: {
          200: answer(`The ${name} as it is now.`, one, exampleShown),
          ...problemAnswers(path, { ...missing, ...ofBody }, 400, 404, 409, 413, 415, 422, 500, 503, 507)
        }
      }
    },
    delete: {
      config: needs(scopes.write),
      schema: {
        tags,
        summary: `Delete ${title}`,
        description: `Removes the ${name} with this id. Success is 204, without a body.`,
        params,
        response: {
          204: noContent(`The ${name} is gone.`),
          // a body is not wanted here, but one that is sent has to be JSON all the same
          ...problemAnswers(path, { ...missing, ...ofPath }, 400, 404, 413, 415, 422, 500, 503, 507)
        }
      }
    }
  }
}

/** A fault that a body of the resource can have: of the first field with a maximum, or else of the first one. */
function exampleFault (fields: Fields) {
  const [[first, schema] = ['', Type.String()]] = Object.entries(fields)
  const [bounded] = Object.entries(fields).filter(([, { maximum }]) => maximum !== undefined)
  if (bounded) return { pointer: `/${bounded[0]}`, detail: `must be <= ${bounded[1].maximum}` }
  return { pointer: `/${first}`, detail: `must be ${[schema.type].flat().join(' or ')}` }
}
