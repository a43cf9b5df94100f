// Explorer: the page of a map.

import { mapOf } from "./map.js";
import { start } from "./start.js";

start(({ atlas }) => mapOf(document.querySelector(".explorer"), atlas));
