// Service: questions to the API, and its refusals as sentences.

export class Refusal extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

export async function figures(question, key) {
  const answer = await asked("zonal-stats/raster", question, key);
  return (await answer.json())[`band_${question.bands[0]}`];
}

// A picture and what its headers say of it; its link is good until it is let go.
export async function picture(question, key, signal) {
  const answer = await asked("pictures/raster", question, key, signal);
  const [west, south, east, north] = numbers(answer, "Picture-Bounds");
  return {
    link: URL.createObjectURL(await answer.blob()),
    bounds: { west, south, east, north },
    values: numbers(answer, "Picture-Values"),
    ramp: answer.headers.get("Picture-Ramp").split(",").map((one) => `#${one}`),
  };
}

function numbers(answer, header) {
  return (answer.headers.get(header) || "").split(",").filter(Boolean).map(Number);
}

async function asked(path, question, key, signal) {
  const headers = { "Content-Type": "application/json", ...(key && { "X-API-Key": key }) };
  const answer = await sent(`api/v1/${path}`, {
    method: "POST", headers, body: JSON.stringify(question), signal,
  });
  if (!answer.ok) throw new Refusal(answer.status, await sentence(answer));
  return answer;
}

async function sent(path, request) {
  try {
    return await fetch(path, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "The service does not answer; is it running?");
  }
}

async function sentence(answer) {
  const { detail } = await answer.json().catch(() => ({}));
  if (Array.isArray(detail)) return detail.map(fault).join("; ");
  return detail || `The service answered ${answer.status}.`;
}

function fault({ loc, msg }) {
  const place = loc.filter((one) => one !== "body").join(".");
  return place ? `${place}: ${msg}` : msg;
}
