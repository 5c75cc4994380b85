import { compareAnswers, request } from './answers.js'
import { common, type Case } from './cases.js'
import { GRADES, gradeOf, LIST_LIMIT } from './students.js'

const PAGE_LENGTH = 20
const PAGES = [1, 100, 1_000]
const WITHOUT = ['constant', 'fastify']

/** Each request asks for another list, of more than connections: ours would share one find among the same ones that wait together, which no peer does. */
const LISTS = 128

/** There are so many lists of so many pages from so many students. */
export const FEWEST_STUDENTS = 35_000

/** Where a page begins: the cursor that ours gave for it, and the student before it. The first page has none. */
type Edge = { cursor: string, after: string } | undefined

export const pageCases = (students: number): Case[] => PAGES.map((page) => pageCase(page, students, Math.max(...PAGES)))

/** A page by filter and sort of lists that have so many pages. */
export function pageCase (page: number, students: number, pages: number): Case {
  const lists = listsOf(students, pages * PAGE_LENGTH)
  const edges: Edge[] = []
  const ask: Case['request'] = (n, server) => ({ method: 'GET', path: pathOf(server, String(lists[n]), page, edges[n]) })
  const title = `page ${page.toLocaleString('en')} by filter and sort, all different`
  // a database that reads all that matches takes seconds for all connections
  const own = { name: `page-${page}`, title, students, isSorted: true, stretch: 4, without: WITHOUT, requests: LISTS, request: ask }
  return {
    ...common,
    ...own,
    async open (all) {
      const subjects = all.filter(({ name }) => !WITHOUT.includes(name))
      for (const { collection } of subjects) await collection.hold(students, true)
      // the same students have the same cursors on any database, so one walk is for all: where it is the shortest
      const { url = '' } = subjects.find(({ embeddedUrl }) => embeddedUrl !== undefined) ?? subjects[0] ?? {}
      for (const list of lists) edges.push(await walk(url + list, page))
      await compareAnswers(subjects, async ({ name, url }) => askLists([0, LISTS - 1].map((n) => url + ask(n, name).path)))
    }
  }
}

async function askLists (urls: string[]) {
  const answers = await Promise.all(urls.map(async (url) => request(url, 'GET')))
  return answers.map(({ status, body }, n) => ({ name: `page of list ${n}`, status, body: Object(body).students }))
}

/** Lists of so many students or somewhat more: each of other grades, the best first. */
function listsOf (students: number, length: number): string[] {
  const width = Math.ceil(length / Math.floor(students / GRADES))
  return Array.from({ length: LISTS }, (_, n) => n % (GRADES - width + 1))
    .map((lowest) => `/students/?gpa.gte=${gradeOf(lowest)}&gpa.lt=${gradeOf(lowest + width)}&sort=-gpa`)
}

/** Goes to a page of ours from cursor to cursor; in longer pages, which a cursor allows. */
async function walk (url: string, page: number): Promise<Edge> {
  let edge: Edge
  for (let left = (page - 1) * PAGE_LENGTH; left > 0; left -= LIST_LIMIT) {
    const from = edge ? `&cursor=${edge.cursor}` : ''
    const { next, students } = Object((await request(`${url}&fields=gpa&limit=${Math.min(LIST_LIMIT, left)}${from}`, 'GET')).body)
    const { gpa, id } = Object(students?.at(-1))
    edge = { cursor: String(new URLSearchParams(next).get('cursor')), after: `${gpa},${id}` }
  }
  return edge
}

/** As each server has it: by a cursor in ours, by the student before it in the bare peer, by a number to skip in the others, as usual. */
function pathOf (server: string, list: string, page: number, edge: Edge): string {
  const path = `${list}&limit=${PAGE_LENGTH}`
  if (['mongoose', 'fastapi'].includes(server)) return `${path}&skip=${(page - 1) * PAGE_LENGTH}`
  if (!edge) return path
  return server === 'bare' ? `${path}&after=${edge.after}` : `${path}&cursor=${edge.cursor}`
}
