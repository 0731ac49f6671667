/**
 * Stories in which something goes wrong and is put right.
 *
 * @module
 */

import type { Plot } from "./plot.ts";

/** Something breaks, and it is hard to say so. */
export const BROKEN: Plot = {
  cast: "children",
  scenes: [
    { item: "cup", act: "was running in the house", mend: "glue" },
    { item: "lamp", act: "kicked a ball inside", mend: "tape" },
    { item: "vase", act: "was dancing too fast", mend: "glue" },
    { item: "plate", act: "tried to reach the shelf", mend: "glue" },
    { item: "clock", act: "was jumping on the bed", mend: "a small tool" },
    { item: "chair", act: "was climbing too high", mend: "a nail" },
  ],
  paragraphs: [
    `{intro} {His} {parent} had {a look} {item}. [It was a gift.|
    {Phe} loved it very much.|It was very pretty.|]
    {day}, {hero} {act}. [Crash!|Bang!|Oh no!]
    The {item} fell and [broke|broke into pieces|broke in two].`,
    `[{hero} was scared.|{hero} did not know what to do.|
    {hero} felt very bad.] [{He} hid [under the bed|behind the door].|
    {He} put a blanket over it.|{He} wanted to run away.|]
    [Then {his} {parent} came in|Soon, {his} {parent} came home].
    "[What happened|Who broke the {item}|Do you know what happened]?"
    {pasked}.
    [At first, {hero} said nothing.|"It was the cat," said {hero}. But that was
    not true.|{hero} looked at the floor.|]
    [Then {he} told the truth.|{hero} began to cry.|]
    "I am [so |very |]sorry, {Parent}. I [broke it|did it]," {said}.`,
    `{His} {parent} [was not angry|gave {him} a hug|sat down next to {him}].
    ["Thank you for telling me the truth," {psaid}.|
    "It is okay. Everyone makes mistakes," {psaid}.|
    "It was very brave to tell me," {psaid}.]
    [They fixed the {item} with {mend}.|They got {mend} and fixed it together.|
    They cleaned up together.]
    [{hero} felt much better.|{hero} was {happy} again.|]
    [{hero} learned to always tell the truth.|
    After that, {he} was more careful.|
    From that day on, {he} did not play like that in the house.|{end}]`,
  ],
};

/** A warning is not heard. */
export const NOT_LISTENING: Plot = {
  cast: "anyone",
  scenes: [
    {
      rule: "Do not go too far",
      bad: "{hero} went on and on, and soon {he} was lost",
      cry: "I want to go home",
      lesson: "stay close",
    },
    {
      rule: "Do not eat too much cake",
      bad: "{hero} ate and ate, and soon {his} tummy hurt",
      cry: "Oh, my tummy",
      lesson: "stop when {he} was full",
    },
    {
      rule: "Do not go near the mud",
      bad: "{hero} ran into the mud and could not get out",
      cry: "Help, I am stuck",
      lesson: "stay away from the mud",
    },
    {
      rule: "Do not climb too high",
      bad: "{hero} went up and up, and then {he} could not get down",
      cry: "Help, I am too high",
      lesson: "climb only small trees",
    },
    {
      rule: "Do not go out without a coat",
      bad: "it began to rain, and {hero} was wet and cold",
      cry: "I am so cold",
      lesson: "wear a warm coat",
    },
  ],
  paragraphs: [
    `{intro} {day}, {hero} wanted to play {inplace}. [{sky}|]
    ["You may go," said {his} {parent}. "But listen. {rule}."|
    {His} {parent} said, "{rule}."|"{rule}," said {his} {parent}.]
    ["Okay, {Parent}," said {hero}.|"Yes, yes," said {hero}.
    But {he} did not listen.|{hero} nodded and ran out.]`,
    `[But soon {he} forgot.|{hero} thought, "{Parent} will not see me."|
    {hero} met {his} friend {friend}. "Be careful," said {friend}. But {hero}
    laughed.|
    {hero} played and played, and {he} forgot the rule.]
    [Then|Oh no! Then|After a while,] {bad}.
    "{cry}!" [{he} cried|cried {hero}|{he} shouted].
    [No one came.|{He} was very scared.|It was not fun at all.|
    A tear ran down {his} face.]`,
    `[At last|Then|Soon], {his} {parent} came. [{Phe} had heard {him}.|
    {Phe} ran as fast as {phe} could.|]
    [{Phe} helped {him} and took {him} home.|
    {Phe} took {hero} in {phis} arms.|]
    "I am sorry, {Parent}. I did not listen," [said {hero}|{he} said].
    ["I am glad you are okay," said {his} {parent}.|
    "Now you know," said {his} {parent} with a smile.|
    "I love you," said {his} {parent}.|]
    [{hero} learned to {lesson}.|{hero} learned to listen.|
    From that day on, {hero} knew to {lesson}.]`,
  ],
};

/** Somebody takes what is not theirs. */
export const COOKIE: Plot = {
  cast: "anyone",
  scenes: [
    { food: "cake", guests: "the party" },
    { food: "pie", guests: "{friend}" },
    { food: "bread", guests: "dinner" },
    { food: "soup", guests: "the whole family" },
    { food: "honey", guests: "the winter" },
  ],
  paragraphs: [
    `{intro} {day}, {his} {parent} made some {food}.
    [It smelled so good.|The house smelled sweet.|It was still hot.]
    ["This is for {guests}," said {his} {parent}. "Please wait."|
    "Do not eat it now. It is for {guests}," {psaid}.]
    [Then {phe} went out.|Then {phe} left the room.|]`,
    `{hero} looked at the {food}. [{He} was very hungry.|
    "Just a little bit," {said}.|"No one will know," {he} thought.]
    {He} [took|had] a [small|tiny|little] taste. [Yum!|It was so good!|]
    Then {he} [had|took] [more|some more|a big bite]. Soon, [the {food} was
    gone|it was all gone|there was no more {food}].
    [{His} friend {friend} saw it all. "That was not right," {fsaid}.|
    Oh no! What could {he} do?|{hero} felt bad.]`,
    `{His} {parent} came back. "Where is the {food}?" {pasked}.
    [{hero}'s face was red.|{hero} looked at {his} feet.|]
    "I ate it. I am sorry," [said {hero}|{he} said].
    [{His} {parent} was sad.|"That makes me sad," {psaid}.|
    "Thank you for telling the truth," {psaid}.]
    ["How can I make it right?" asked {hero}.|"Can we make more?" asked {hero}.
    "I will help you."|"I will help you make more," said {hero}.]
    [So they made some more {food} together.|
    {hero} worked hard, and soon there was more {food}.]
    [This time, {he} waited.|Now everyone could have some.|
    {hero} shared it with {his} friend {friend}.|{end}]`,
  ],
};
