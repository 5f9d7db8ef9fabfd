/** The words that the specifications know (XEP-0107 §3, XEP-0108 §3). */
export const moods: readonly string[] =
  `afraid amazed amorous angry annoyed anxious aroused ashamed bored brave calm cautious cold confident confused
  contemplative contented cranky crazy creative curious dejected depressed disappointed disgusted dismayed distracted
  embarrassed envious excited flirtatious frustrated grateful grieving grumpy guilty happy hopeful hot humbled humiliated
  hungry hurt impressed in_awe in_love indignant interested intoxicated invincible jealous lonely lost lucky mean moody
  nervous neutral offended outraged playful proud relaxed relieved remorseful restless sad sarcastic satisfied serious
  shocked shy sick sleepy spontaneous stressed strong surprised thankful thirsty tired undefined weak worried`.split(
    /\s+/,
  );

export const activities: readonly string[] =
  `doing_chores drinking eating exercising grooming having_appointment inactive relaxing talking traveling undefined
  working`.split(/\s+/);

export const specificActivities: readonly string[] =
  `at_the_spa brushing_teeth buying_groceries cleaning coding commuting cooking cycling dancing day_off
  doing_maintenance doing_the_dishes doing_the_laundry driving fishing gaming gardening getting_a_haircut going_out
  hanging_out having_a_beer having_a_snack having_breakfast having_coffee having_dinner having_lunch having_tea hiding
  hiking in_a_car in_a_meeting in_real_life jogging on_a_bus on_a_plane on_a_train on_a_trip on_the_phone on_vacation
  on_video_phone other partying playing_sports praying reading rehearsing running running_an_errand scheduled_holiday
  shaving shopping skiing sleeping smoking socializing studying sunbathing swimming taking_a_bath taking_a_shower thinking
  walking walking_the_dog watching_a_movie watching_tv working_out writing`.split(/\s+/);

export const tuneFields = ['artist', 'title', 'source', 'track', 'length', 'rating', 'uri'] as const;

export const locationFields = [
  'lat',
  'lon',
  'alt',
  'accuracy',
  'altaccuracy',
  'datum',
  'bearing',
  'speed',
  'timestamp',
  'tzo',
  'text',
  'description',
  'building',
  'floor',
  'room',
  'street',
  'area',
  'locality',
  'region',
  'postalcode',
  'country',
  'countrycode',
  'uri',
] as const;
